"""The connections to one address, and what is seen of a request on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1)
_BEGUN, _HEADERS_OUT = "send_request_headers.started", "send_request_headers.complete"
_HEADERS_IN = "receive_response_headers.complete"


class Lanes:
    """The connections to one address, each in a pool of its own; the one used last goes first.

    A pool of many looks at every connection it has before and after every request, which costs more than the request. How
    many there may be is the bulkhead's business. All lead through the ``proxy``, if there is one.
    """

    def __init__(self, proxy: str | None) -> None:
        self._proxy = proxy
        self._context = httpx.create_ssl_context(trust_env=False)
        self._all: set[httpx.AsyncHTTPTransport] = set()
        self._idle: list[httpx.AsyncHTTPTransport] = []

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """Lend a connection for one request and its whole answer.

        It is lent again only after that: httpcore takes a connection whose first request was given up just after it was made
        for one that is still busy, and waits for it for ever.
        """
        lane = self._idle.pop() if self._idle else self._opened()
        try:
            yield lane
        except BaseException:
            self._all.discard(lane)
            await asyncio.shield(lane.aclose())
            raise
        if lane in self._all:
            self._idle.append(lane)
        else:  # the others were closed meanwhile
            await lane.aclose()

    async def aclose(self) -> None:
        """Close every connection; a later request opens new ones."""
        lanes, self._all, self._idle = self._all, set(), []
        for lane in lanes:
            await lane.aclose()

    def _opened(self) -> httpx.AsyncHTTPTransport:
        lane = httpx.AsyncHTTPTransport(limits=_ONE_CONNECTION, verify=self._context, trust_env=False, proxy=self._proxy)
        self._all.add(lane)
        return lane


class Sending:
    """Watches one attempt on the wire; ``left`` tells whether its request has gone out, ``begun`` whether it may have.

    Where it is to be ``discreet``, the headers of the answer are kept out of httpcore's log, as they may repeat our key.
    """

    def __init__(self, *, discreet: bool) -> None:
        self.begun = self.left = False
        self._discreet = discreet
        self._asks_proxy = False

    async def __call__(self, event: str, info: MutableMapping[str, Any]) -> None:
        """Take note of what httpcore traces, before it logs the same."""
        if event.endswith(_BEGUN):
            self._asks_proxy = info["request"].method == b"CONNECT"  # for the way only: the service has heard nothing yet
            self.begun = not self._asks_proxy
        elif event.endswith(_HEADERS_OUT):
            self.left = not self._asks_proxy
        elif self._discreet and event.endswith(_HEADERS_IN):
            info.clear()
