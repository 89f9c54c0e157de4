"""What plugin authors test with."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Iterator
from types import ModuleType

import pytest

from cinegraph_core import PluginError, Replica, ServiceSpec, hookimpl
from cinegraph_core.testing import FakeClock, fresh_plugins, replica


def test_the_fake_clock_stands_still_until_turned() -> None:
    clock = FakeClock(start=100.0)
    assert (clock.now(), clock.monotonic()) == (100.0, 0.0)
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (102.5, 2.5)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_sleeping_on_the_fake_clock_moves_it_and_gives_others_a_turn() -> None:
    clock = FakeClock()
    order: list[str] = []

    async def sleeper() -> None:
        order.append("asleep")
        await clock.sleep(30)
        order.append("awake")

    async def other() -> None:
        order.append("other")

    async def both() -> None:
        await asyncio.gather(sleeper(), other())

    asyncio.run(both())
    assert order == ["asleep", "other", "awake"]
    assert clock.slept == [30]
    assert clock.monotonic() == 30.0


def test_fresh_plugins_take_plugins_and_objects_and_nothing_that_is_installed() -> None:
    plugin = ModuleType("tests.paper")
    plugin.service = hookimpl(lambda: ServiceSpec(name="paper", base_url="https://paper.example"))  # type: ignore[attr-defined]
    plugins = fresh_plugins(plugin, ServiceSpec(name="stone", base_url="https://stone.example"))
    assert set(plugins.services()) == {"paper", "stone"}
    assert [info.name for info in plugins.infos()] == ["given_objects", "paper"]


def test_fresh_plugins_raise_for_a_broken_plugin_unless_told_not_to() -> None:
    with pytest.raises(PluginError, match="implements no hook"):
        fresh_plugins(ModuleType("empty"))
    (info,) = fresh_plugins(ModuleType("empty"), strict=False).infos()
    assert info.status == "failed"


def test_a_replica_is_started_and_answers_over_http(one_page_server: str) -> None:
    plugins = fresh_plugins(Replica(name="paper", services=("paper",), start=lambda: {"paper": one_page_server}))
    with replica(plugins) as urls, urllib.request.urlopen(urls["paper"]) as answer:
        assert answer.read() == b"a page"


def test_without_a_replica_the_kit_says_so() -> None:
    with pytest.raises(PluginError, match="no replica is installed"), replica(fresh_plugins()):
        pass


@pytest.fixture
def one_page_server() -> Iterator[str]:
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"a page")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
