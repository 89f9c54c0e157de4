"""The same door for an ``httpx.Client``."""

from __future__ import annotations

import concurrent.futures
from types import TracebackType
from typing import TYPE_CHECKING

import httpx

from cinegraph_core.errors import CancelledError
from cinegraph_core.services.portal import Portal
from cinegraph_core.services.transport.guarded import GuardedTransport
from cinegraph_core.services.transport.responses import as_httpx

if TYPE_CHECKING:
    from cinegraph_core.services.door import Services


class BlockingTransport(httpx.BaseTransport):
    """Leads the requests of callers that block; it works in a loop of its own, so that a timeout bounds it in the same way."""

    def __init__(self, services: Services, name: str) -> None:
        self._name = name
        self._inner = GuardedTransport(services, name)
        self._portal = Portal(self._inner.aclose, settled=self._inner.settled)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its call is done; raises :class:`CancelledError` if the client is closed meanwhile."""
        request.read()
        try:
            return self._portal.run(self._inner.handle_async_request(request))
        except concurrent.futures.CancelledError:
            error = CancelledError("the client was closed while the call was under way", service=self._name)
            as_httpx(error, request)
            raise error from None

    def close(self) -> None:
        """Give up the calls under way, and once what is fetched in the background is there, close the connections."""
        self._portal.close()

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Do the same; where an error ends the work with the client, nothing is waited for."""
        self._portal.close(at_once=kind is not None)
