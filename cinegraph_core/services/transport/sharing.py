"""The clients of one service in one event loop: each its owner's to close, the connections common to all."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakSet

import httpx

from cinegraph_core.services.transport.guarded import GuardedTransport


class Sharing:
    """Hands out clients that share one transport; when the last of them is closed, so are the connections.

    ``dress`` makes a client of a transport.
    """

    def __init__(self, transport: GuardedTransport, dress: Callable[[httpx.AsyncBaseTransport], httpx.AsyncClient]) -> None:
        self._transport = transport
        self._dress = dress
        self._clients: WeakSet[httpx.AsyncClient] = WeakSet()
        self._own: httpx.AsyncClient | None = None

    @property
    def own(self) -> httpx.AsyncClient:
        """The client that the house itself sends by; it is nobody's to close."""
        if self._own is None:
            self._own = self.client()
        return self._own

    def client(self) -> httpx.AsyncClient:
        """Return a new client."""
        client = self._dress(_Share(self._transport, self._returned))
        self._clients.add(client)
        return client

    async def aclose(self) -> None:
        """Close every client, and the connections, whether or not their clients were closed."""
        for client in list(self._clients):
            await client.aclose()
        await self._transport.aclose()

    async def _returned(self) -> None:
        if self._is_unused():
            try:
                await self._transport.settled()
            finally:
                if self._is_unused():  # somebody may have come meanwhile
                    await self._transport.aclose()

    def _is_unused(self) -> bool:
        return all(client.is_closed for client in self._clients)


class _Share(httpx.AsyncBaseTransport):
    """One client's share in a transport."""

    def __init__(self, transport: GuardedTransport, returned: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._transport = transport
        self._returned = returned

    def handle_async_request(self, request: httpx.Request) -> Coroutine[Any, Any, httpx.Response]:
        """Send a request by the common transport."""
        return self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Give the share back."""
        await self._returned()
