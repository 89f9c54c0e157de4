"""A loopback HTTP server of plain sockets that misbehaves on demand and counts what reached it.

Every path has a plan: a list of behaviours, one per request, of which the last goes on for ever::

    with FaultServer() as server:
        server.plan("/film", answer(503), answer(200, b'{"id": 1}'))
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from types import TracebackType
from typing import Self


class Exchange:
    """One request that arrived, and the socket to answer on."""

    def __init__(self, server: FaultServer, connection: socket.socket, head: str) -> None:
        self.server = server
        self.connection = connection
        self.target = head.split(" ")[1]
        self.headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def wait_for_hang_up(self, seconds: float) -> bool:
        """Return whether the client closes the connection within ``seconds``."""
        self.connection.settimeout(seconds)
        try:
            return self.connection.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Behaviour = Callable[[Exchange], None]


def head_of(status: int, length: int, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {length}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in ({"Content-Type": "application/json"} | dict(headers or {})).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def answer(status: int = 200, body: bytes = b'{"id": 1}', headers: Mapping[str, str] | None = None) -> Behaviour:
    return lambda exchange: exchange.send(head_of(status, len(body), headers) + body)


def html(status: int = 200, body: bytes = b"<html><title>Please wait</title></html>") -> Behaviour:
    return answer(status, body, {"Content-Type": "text/html"})


def slowly(then: Behaviour, naps: int = 100) -> Behaviour:
    """Return a behaviour that leaves time for others to ask the same: naps of 2 ms, each longer on a machine that is busy."""

    def behave(exchange: Exchange) -> None:
        for _ in range(naps):
            time.sleep(0.002)
        then(exchange)

    return behave


def cut_short(exchange: Exchange) -> None:
    """Promise more than comes, then close: a truncated body on the wire."""
    exchange.send(head_of(200, 100) + b'{"id": ')


def sliced(status: int = 200, body: bytes = b'{"id": 1}') -> Behaviour:
    """Send every byte by itself."""

    def send(exchange: Exchange) -> None:
        exchange.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head_of(status, len(body)) + body:
            exchange.send(bytes([byte]))

    return send


def reset_mid_body(exchange: Exchange) -> None:
    exchange.send(head_of(200, 100) + b'{"id": ')
    time.sleep(0.02)
    exchange.reset()


def reset_at_once(exchange: Exchange) -> None:
    exchange.reset()


def hang(exchange: Exchange) -> None:
    """Say nothing until the client hangs up."""
    if exchange.wait_for_hang_up(60.0):
        exchange.server.hung_up.set()


def drip(exchange: Exchange) -> None:
    """Send one byte of a long body every 20 ms, for as long as anybody listens."""
    try:
        exchange.send(head_of(200, 1000))
        while not exchange.wait_for_hang_up(0.02):
            exchange.send(b" ")
    except OSError:
        pass
    exchange.server.hung_up.set()


class FaultServer:
    """Serves plans on a free loopback port, one thread per connection; an unplanned path is a 404."""

    def __init__(self) -> None:
        self._plans: dict[str, list[Behaviour]] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.received: list[Exchange] = []
        self.reached = threading.Event()
        """Set when the first request has arrived."""
        self.hung_up = threading.Event()
        """Set when a client has closed a connection on which :func:`hang` or :func:`drip` was at work."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def counts(self) -> Counter[str]:
        """Return how many requests reached each path."""
        return Counter(exchange.target.partition("?")[0] for exchange in self.received)

    def plan(self, path: str, *behaviours: Behaviour) -> None:
        with self._lock:
            self._plans[path] = list(behaviours)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in [self._accepting, *self._threads]:
            thread.join(5.0)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head = self._read_head(connection)
            if not head:
                return
            exchange = Exchange(self, connection, head)
            try:
                self._next(exchange)(exchange)
            except OSError:
                return

    def _next(self, exchange: Exchange) -> Behaviour:
        with self._lock:
            self.received.append(exchange)
            self.reached.set()
            plan = self._plans.get(exchange.target.partition("?")[0], [answer(404, b'{"status_code": 34}')])
            return plan.pop(0) if len(plan) > 1 else plan[0]

    @staticmethod
    def _read_head(connection: socket.socket) -> str:
        data = b""
        connection.settimeout(5.0)
        while b"\r\n\r\n" not in data:
            try:
                chunk = connection.recv(1)  # not a byte of the body: a behaviour may want to read it
            except OSError:
                return ""
            if not chunk:
                return ""
            data += chunk
        return data.partition(b"\r\n\r\n")[0].decode("latin-1")


@contextmanager
def without_tls() -> Iterator[str]:
    """Yield an ``https`` address where plain text is spoken."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_in_plain() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer_in_plain, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5.0)


def refusing_url() -> str:
    """Return the address of a port where nobody listens, and which the system gives to nobody as long as this process lives."""
    return f"http://127.0.0.1:{_deaf().getsockname()[1]}"


@cache
def _deaf() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound
