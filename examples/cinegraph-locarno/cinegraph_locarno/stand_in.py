"""A stand-in for the festival's site on a free loopback port, from a thread that ends with the process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = files(__package__).joinpath(f"pages{self.path.removeprefix('/palmares')}.html")
        found = self.path.startswith("/palmares/") and ".." not in self.path and page.is_file()
        body = page.read_bytes() if found else b"<h1>Not found</h1>"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard library's
        """Say nothing."""


@cache
def start() -> Mapping[str, str]:
    """Serve once per process; return the base URL of the one service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True, name="locarno-replica").start()
    return {"locarno": f"http://127.0.0.1:{server.server_port}"}
