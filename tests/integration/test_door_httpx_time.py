"""How long a call may take over real sockets: timeouts, the deadline, and a caller who gives up."""

from __future__ import annotations

import asyncio
import time

import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.errors import ServiceTimeoutError
from tests.support.clocks import PatientClock
from tests.support.door import NAME
from tests.support.fault_server import Behaviour, FaultServer, drip, hang
from tests.support.keyed_door import KeyedBench


@pytest.mark.parametrize("fault", [hang, drip])
def test_lesson_23_an_attempt_ends_at_its_timeout_to_the_second(server: FaultServer, fault: Behaviour) -> None:
    bench = KeyedBench(server.url, retries=1)
    server.plan("/film", fault)
    began = bench.clock.monotonic()
    with pytest.raises(ServiceTimeoutError):
        bench.run(bench.get)
    assert bench.clock.monotonic() - began == 5.0 + 1.0 + 5.0
    assert bench.rows.only.response_time_ms == 11_000.0
    assert bench.rows.brief == [(False, "timeout", 2)]


@pytest.mark.parametrize("fault", [hang, drip])
def test_lesson_23_a_timeout_bounds_real_time_and_leaves_nothing_running(server: FaultServer, fault: Behaviour) -> None:
    bench = KeyedBench(server.url, SystemClock(), timeout=1.0, retries=0)
    server.plan("/film", fault)

    async def work() -> float:
        bench.services.http_client(NAME)
        began = time.monotonic()
        with pytest.raises(ServiceTimeoutError):
            await bench.get()
        taken = time.monotonic() - began
        assert await asyncio.to_thread(server.hung_up.wait, 10.0), "the connection is closed, not left to itself"
        assert len(asyncio.all_tasks()) == 1
        return taken

    assert 1.0 <= bench.run(work) < 10.0


def test_lesson_23_the_deadline_bounds_the_call_with_its_waits(server: FaultServer) -> None:
    bench = KeyedBench(server.url, PatientClock(), deadline=8.0)
    server.plan("/film", hang)
    with pytest.raises(ServiceTimeoutError):
        bench.run(bench.get)
    assert bench.clock.monotonic() == pytest.approx(8.0)
    assert bench.rows.brief == [(False, "timeout", 2)]


def test_a_cancelled_call_leaves_its_row_and_no_connection(server: FaultServer) -> None:
    bench = KeyedBench(server.url, SystemClock())
    server.plan("/film", hang)

    async def work() -> None:
        task = asyncio.ensure_future(bench.get())
        assert await asyncio.to_thread(server.reached.wait, 10.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.hung_up.wait, 10.0)

    bench.run(work)
    assert bench.rows.brief == [(False, "cancelled", 1)]
    assert bench.services.breaker_state(NAME) == "closed"
