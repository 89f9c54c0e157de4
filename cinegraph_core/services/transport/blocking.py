"""The same door for an ``httpx.Client``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from cinegraph_core.services.portal import Portal
from cinegraph_core.services.transport.guarded import GuardedTransport

if TYPE_CHECKING:
    from cinegraph_core.services.door import Services


class BlockingTransport(httpx.BaseTransport):
    """Leads the requests of callers that block; it works in a loop of its own, so that a timeout bounds it in the same way."""

    def __init__(self, services: Services, name: str) -> None:
        self._portal = Portal()
        self._inner = GuardedTransport(services, name)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its call is done."""
        request.read()
        response = self._portal.run(self._inner.handle_async_request(request))
        response.stream = httpx.ByteStream(b"")  # its body is read; the asynchronous stream it came by is not for this client
        return response

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._portal.run(self._inner.aclose())
        self._portal.close()
