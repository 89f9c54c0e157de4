"""A bound on the calls under way to each service, over real HTTP: who waits, who is refused, and when."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx

from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import BulkheadFullError, CircuitOpenError, ServiceTimeoutError
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door
from tests.support.fault_server import FaultServer, hang
from tests.support.guard import queued
from tests.support.sick_and_well import Gate, door, get
from tests.support.waiting import within


def test_so_many_calls_are_under_way_and_the_others_wait_their_turn_uncounted(server: FaultServer) -> None:
    gate = Gate()
    server.plan("/film", gate)
    clock = PatientClock(patient_from=1.0, patience=30.0)
    services, rows = door(server, clock=clock, max_concurrent=3)

    async def work() -> list[Any]:
        calls = [asyncio.ensure_future(get(services, "sick", "/film")) for _ in range(12)]
        assert await asyncio.to_thread(within, 10.0, lambda: gate.inside == 3)
        clock.advance(1.0)
        gate.open.set()
        answers = await asyncio.gather(*calls)
        await services.aclose()
        return answers

    assert asyncio.run(work()) == [{"id": 1}] * 12
    assert gate.most == 3
    slow = [row for row in rows.all if (row.response_time_ms or 0.0) > 900.0]
    assert len(slow) == 3, "only who had a place was waiting for the service"


def test_who_finds_the_queue_full_is_refused_with_a_type_and_reaches_nobody(server: FaultServer) -> None:
    gate = Gate()
    server.plan("/film", gate)
    services, rows = door(server, max_concurrent=2, max_waiting=3)

    async def work() -> list[Any]:
        calls = [asyncio.ensure_future(get(services, "sick", "/film")) for _ in range(9)]
        assert await asyncio.to_thread(within, 10.0, lambda: gate.inside == 2 and len(rows.all) == 4)
        gate.open.set()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        await services.aclose()
        return outcomes

    outcomes = asyncio.run(work())
    refused = [one for one in outcomes if isinstance(one, BulkheadFullError)]
    assert len(refused) == 4
    assert all(isinstance(one, httpx.ConnectError) for one in refused)
    assert "2 calls to sick are under way and 3 wait" in str(refused[0])
    assert server.counts["/film"] == 5
    assert [brief for brief in rows.brief if not brief[0]] == [(False, "bulkhead_full", 0)] * 4


def test_a_place_is_waited_for_within_the_deadline_only(server: FaultServer) -> None:
    server.plan("/film", hang)
    services, rows = door(server, clock=PatientClock(patience=0.3), max_concurrent=1, timeout=30.0, deadline=20.0)

    async def work() -> list[Any]:
        calls = [asyncio.ensure_future(get(services, "sick", "/film")) for _ in range(2)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        await services.aclose()
        return outcomes

    outcomes = asyncio.run(work())
    assert all(isinstance(one, ServiceTimeoutError) for one in outcomes)
    assert server.counts["/film"] == 1
    assert sorted(rows.brief) == [(False, "timeout", 0), (False, "timeout", 1)]


def test_who_waited_has_no_more_time_for_the_request_than_the_call_has_left() -> None:
    clock, rows = FakeClock(), Rows()
    spec = ServiceSpec("sick", base_url="", timeout=8.0, deadline=10.0, max_concurrent=1)
    services = open_door(spec, clock=clock, rows=rows)
    first, second = (services.begin(Call("sick", "call", "call")) for _ in range(2))
    held = first.attempt()
    assert first.counted()

    def leave() -> None:
        queued(second)
        clock.advance(6.0)
        first.returned(held)

    threading.Thread(target=leave).start()
    attempt = services.admit_now(second)
    assert attempt.timeout == 4.0
    clock.advance(1.0)
    second.returned(attempt)
    assert [row.response_time_ms for row in rows.all] == [6000.0, 1000.0]


def test_a_queue_is_told_when_the_breaker_opens(server: FaultServer) -> None:
    server.plan("/film", hang)
    services, rows = door(server, max_concurrent=2, breaker_failures=2, timeout=0.3)

    async def work() -> list[Any]:
        outcomes = await asyncio.gather(*(get(services, "sick", "/film") for _ in range(30)), return_exceptions=True)
        await services.aclose()
        return outcomes

    outcomes = asyncio.run(work())
    sent = sum(isinstance(one, ServiceTimeoutError) for one in outcomes)
    assert server.counts["/film"] <= sent <= 3, "between the first failure and the second a place is free for a moment"
    assert sum(isinstance(one, CircuitOpenError) for one in outcomes) == 30 - sent
    assert {row.response_time_ms for row in rows.all if row.error_type == "circuit_open"} == {None}


def test_a_cancelled_waiter_leaves_the_queue_and_a_cancelled_call_its_place(server: FaultServer) -> None:
    gate = Gate()
    server.plan("/film", gate)
    services, _ = door(server, max_concurrent=1)

    async def work() -> Any:
        calls = [asyncio.ensure_future(get(services, "sick", "/film")) for _ in range(3)]
        assert await asyncio.to_thread(within, 10.0, lambda: gate.inside == 1)
        calls[1].cancel()
        calls[0].cancel()
        assert await asyncio.to_thread(within, 10.0, lambda: server.counts["/film"] == 2)
        gate.open.set()
        answer_of_the_third = await calls[2]
        await services.aclose()
        return answer_of_the_third

    assert asyncio.run(work()) == {"id": 1}
