"""The replica on a real socket: as a daemon thread for mock mode, or in the foreground for ``cinegraph replica serve``."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from cinegraph_core import ConfigurationError
from cinegraph_replica.app import PREFIXES, checked, create_app
from cinegraph_replica.catalogue import load_catalogue
from cinegraph_replica.effects import TRANSPORT
from cinegraph_replica.faults import Board, parse_fault

_HOST = "127.0.0.1"
_START_SECONDS = 10.0


class _Protocol(H11Protocol):
    """Uvicorn's protocol, which also hands out the transport: ASGI itself has no word for breaking a connection off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        served: ASGIApp = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {TRANSPORT: self.transport}
            await served(scope, receive, send)

        self.app = app


def _server(board: Board) -> Server:
    app = create_app(load_catalogue(), board)
    return Server(
        Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
    )


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off; otherwise every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"the replica cannot listen on {_HOST}:{port} ({error.strerror}); choose another port"
        ) from error
    return listener


class ReplicaServer:
    """A replica on a free loopback port, in a daemon thread with an event loop of its own; stops with the process.

    Also a context manager, for tests that want one to themselves. ``origin`` is ``http://127.0.0.1:PORT``, ``urls`` the base
    URLs by service. Raises :class:`ConfigurationError` when it cannot start.
    """

    def __init__(self, port: int = 0) -> None:
        self._listener = _listen(port)
        self._server = _server(Board())
        self._thread = threading.Thread(target=self._run, name="cinegraph-replica", daemon=True)
        self.origin = f"http://{_HOST}:{self._listener.getsockname()[1]}"
        self.urls: Mapping[str, str] = {service: self.origin + prefix for service, prefix in PREFIXES.items()}

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))

    @property
    def alive(self) -> bool:
        """Whether the thread serves."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to serve, and return when connections are taken."""
        self._thread.start()
        patience = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > patience:
                raise ConfigurationError(
                    f"the replica did not start on {self.origin}; block the plugin 'replica' or set real mode"
                )
            time.sleep(0.002)

    def stop(self) -> None:
        """Close every connection, those that hang too, and end the thread."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> ReplicaServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


_lock = threading.Lock()
_running: dict[int, ReplicaServer] = {}


def start_once() -> Mapping[str, str]:
    """Return the base URLs of this process's replica, which is started on first need (a fork needs its own)."""
    with _lock:
        server = _running.get(os.getpid())
        if server is None or not server.alive:
            server = _running[os.getpid()] = ReplicaServer()
            server.start()
        return server.urls


def serve_forever(port: int, faults: Sequence[str]) -> None:
    """Serve until interrupted and say so on standard error; ``faults`` are written as :func:`parse_fault` reads them.

    Raises :class:`UsageError` for a fault that makes no sense and :class:`ConfigurationError` for a port in use.
    """
    board = Board()
    for fault in faults:
        board.set(checked(parse_fault(fault)))
    listener = _listen(port)
    served = ", ".join(PREFIXES)
    sys.stderr.write(f"MOCK data: the replica serves {served} on http://{_HOST}:{port} (Ctrl-C ends it)\n")
    try:
        asyncio.run(_server(board).serve(sockets=[listener]))
    finally:
        listener.close()
