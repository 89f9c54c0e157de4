"""Calls that are given up at every turn of the loop: whatever was under way, the next one has a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Clock, ServiceSpec
from cinegraph_core.errors import ServiceTimeoutError
from cinegraph_core.services import Services
from cinegraph_core.testing import FakeClock
from tests.support.door import NAME, Rows, open_door, run_in
from tests.support.fault_server import FaultServer, answer


def door(url: str, clock: Clock) -> tuple[Services, Rows]:
    rows = Rows()
    spec = ServiceSpec(NAME, "https://films.example", retries=0, timeout=2.0, breaker_mode="shadow", max_concurrent=1)
    return open_door(spec, clock=clock, rows=rows, services={NAME: {"base_url": url}}), rows


class Turns(FakeClock):
    """A clock on which the next time limit passes after so many turns of the event loop, and all later ones in 2 s."""

    left = 0

    async def sleep(self, seconds: float) -> None:
        turns, self.left = self.left, 0
        for _ in range(turns):
            await asyncio.sleep(0)
        if not turns:
            await asyncio.sleep(2.0)


def test_a_call_cancelled_at_any_turn_leaves_the_next_one_a_connection(server: FaultServer) -> None:
    services, rows = door(server.url, SystemClock())
    server.plan("/film", answer())

    async def work() -> int:
        async with services.http_client(NAME) as http:
            for turns in count(1):
                call = asyncio.ensure_future(http.get("/film"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if call.done():
                    break
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                assert (await http.get("/film")).status_code == 200, f"after {turns} turns"
        return turns

    turns = run_in(services, work)
    assert turns > 10, "it was cancelled while it got its connection and while it waited for the answer"
    assert {error for _, error, _ in rows.brief} == {None, "cancelled"}


@contextmanager
def getting(services: Services, *, sync: bool) -> Iterator[Callable[[], int]]:
    """Yield what gets the film and returns the status, by a client of its own."""
    if sync:
        with services.sync_client(NAME) as http:
            yield lambda: http.get("/film").status_code
        return
    client = services.http_client(NAME)

    async def get() -> int:
        return (await client.get("/film")).status_code

    with asyncio.Runner() as runner:
        yield lambda: runner.run(get())
        runner.run(client.aclose())


@pytest.mark.parametrize("sync", [True, False])
def test_lesson_23_a_time_limit_at_any_turn_leaves_the_next_call_a_connection(server: FaultServer, sync: bool) -> None:
    clock = Turns()
    services, rows = door(server.url, clock)
    server.plan("/film", answer())
    with getting(services, sync=sync) as get:
        for turns in count(1):
            clock.left = turns
            try:
                get()
            except ServiceTimeoutError:
                assert get() == 200, f"after {turns} turns"
            else:
                break
    assert turns > 10, "it passed while a connection was made and while the answer was waited for"
    assert {error for _, error, _ in rows.brief} == {None, "timeout"}
