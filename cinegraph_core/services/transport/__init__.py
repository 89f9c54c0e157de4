"""The door for httpx: the only package that imports it, so that another client library is one folder away.

A request's ``extensions["cinegraph"]`` may hold its :class:`~cinegraph_core.contracts.Call`; without one the request is a
call of its own with operation ``request``. Credentials are added to the inner request only: neither the caller's request
and response nor httpx's own log ever hold them.
"""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

from httpx import AsyncClient, Client

from cinegraph_core.services.transport.blocking import BlockingTransport
from cinegraph_core.services.transport.guarded import GuardedTransport
from cinegraph_core.services.transport.sharing import Sharing
from cinegraph_core.services.transport.unpacking import ACCEPTED

if TYPE_CHECKING:
    from cinegraph_core.services.door import Services

__all__ = ["AsyncClient", "Client", "GuardedTransport", "Sharing", "blocking_client", "sharing_clients"]


def sharing_clients(services: Services, name: str) -> Sharing:
    """Return a maker of httpx clients for one service, which share their connections; paths are taken below its base URL."""
    transport = GuardedTransport(services, name)
    return Sharing(transport, lambda share: AsyncClient(transport=share, **_options(services, name)))


def blocking_client(services: Services, name: str) -> Client:
    """Return the same for callers that block."""
    return Client(transport=BlockingTransport(services, name), **_options(services, name))


def _options(services: Services, name: str) -> dict[str, Any]:
    return {
        "base_url": services.base_url(name),
        "headers": {"User-Agent": services.user_agent.encode(), "Accept-Encoding": ACCEPTED},
        # A cookie that an answer sets must not make the next call a personal one; callers may send cookies of their own.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),
        "timeout": None,  # the door bounds the attempt as a whole, which httpx cannot
        "follow_redirects": False,
        "trust_env": False,
    }
