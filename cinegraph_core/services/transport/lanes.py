"""The connections to one service, and what is seen of a request on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1)
_HEADERS_OUT = "send_request_headers.complete"


class Lanes:
    """The connections to one service, each in a pool of its own; the one used last goes first.

    A pool of many looks at every connection it has before and after every request, which costs more than the request. How
    many there may be is the bulkhead's business.
    """

    def __init__(self) -> None:
        self._context = httpx.create_ssl_context(trust_env=False)
        self._all: set[httpx.AsyncHTTPTransport] = set()
        self._idle: list[httpx.AsyncHTTPTransport] = []

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """Lend a connection for one request and its answer."""
        lane = self._idle.pop() if self._idle else self._opened()
        try:
            yield lane
        finally:
            if lane in self._all:
                self._idle.append(lane)

    async def aclose(self) -> None:
        """Close every connection; a later request opens new ones."""
        lanes, self._all, self._idle = self._all, set(), []
        for lane in lanes:
            await lane.aclose()

    def _opened(self) -> httpx.AsyncHTTPTransport:
        lane = httpx.AsyncHTTPTransport(limits=_ONE_CONNECTION, verify=self._context, trust_env=False)
        self._all.add(lane)
        return lane


class Sending:
    """Watches one attempt on the wire; ``left`` tells whether its request has gone out."""

    def __init__(self) -> None:
        self.left = False

    async def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        """Take note of what httpcore traces."""
        if event.endswith(_HEADERS_OUT):
            self.left = True
