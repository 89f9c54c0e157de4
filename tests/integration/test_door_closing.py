"""Closing a blocking client while other threads wait: each is told, leaves its row, and holds nothing."""

from __future__ import annotations

import threading

import httpx
import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import CancelledError
from cinegraph_core.services import Services
from cinegraph_core.services.portal import Portal
from tests.support.door import NAME, Rows, open_door
from tests.support.fault_server import Exchange, FaultServer, answer, hang
from tests.support.waiting import within


def bench(url: str) -> tuple[Services, Rows]:
    rows = Rows()
    spec = ServiceSpec(NAME, "https://films.example", max_concurrent=2, max_waiting=1)
    return open_door(spec, clock=SystemClock(), rows=rows, services={NAME: {"base_url": url}}), rows


def test_who_waits_for_an_answer_or_a_place_is_told_and_leaves_a_row(server: FaultServer) -> None:
    """Four threads: two at the service, one in the queue for a place, and one that shows by its refusal that all are there."""
    services, rows = bench(server.url)
    server.plan("/film", hang)
    http = services.sync_client(NAME)
    ends: list[BaseException] = []

    def call() -> None:
        try:
            http.get("/film")
        except BaseException as error:  # noqa: BLE001 - whatever it ends with
            ends.append(error)

    threads = [threading.Thread(target=call, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert within(5.0, lambda: server.counts["/film"] == 2 and len(ends) == 1)
    assert rows.brief == [(False, "bulkhead_full", 0)]
    http.close()
    for thread in threads:
        thread.join(5.0)
        assert not thread.is_alive()
    assert {str(error) for error in ends[1:]} == {"the client was closed while the call was under way"}
    assert all(isinstance(error, CancelledError) and isinstance(error, httpx.TransportError) for error in ends[1:])
    assert sorted(rows.brief[1:]) == [(False, "cancelled", 0), (False, "cancelled", 1), (False, "cancelled", 1)]
    assert services.breaker_state(NAME) == "closed"
    assert server.hung_up.wait(2.0)


def test_an_answer_on_its_way_to_another_client_is_not_disturbed(server: FaultServer) -> None:
    services, rows = bench(server.url)
    closed = threading.Event()

    def once_closed(exchange: Exchange) -> None:
        assert closed.wait(5.0)
        answer()(exchange)

    server.plan("/film", once_closed)
    other = services.sync_client(NAME)
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(other.get("/film").status_code), daemon=True)
    thread.start()
    assert within(5.0, lambda: server.counts["/film"] == 1)
    with services.sync_client(NAME):
        pass
    closed.set()
    thread.join(5.0)
    other.close()
    assert got == [200]
    assert rows.brief == [(True, None, 1)]


def test_a_closed_portal_takes_no_work_and_its_last_work_comes_last() -> None:
    done: list[str] = []

    async def note(what: str) -> str:
        done.append(what)
        return what

    portal = Portal(lambda: _nothing(note("last")))
    assert portal.run(note("first")) == "first"
    portal.close()
    portal.close()
    assert done == ["first", "last"]
    with pytest.raises(RuntimeError, match="closed"):
        portal.run(note("late"))
    assert done == ["first", "last"]


def test_a_portal_that_nobody_used_starts_no_thread_to_end() -> None:
    portal = Portal(lambda: _nothing(_fail()))
    portal.close()


async def _fail() -> str:
    raise AssertionError("there is nothing to do")


async def _nothing(work: object) -> None:
    await work  # type: ignore[misc]
