"""Who had to wait for something is looked at anew before it goes: a pause asked for meanwhile, a turn in the rate that passed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core import guarded
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.errors import RateLimitError, ServiceError, ServiceTimeoutError
from cinegraph_core.services import CallGuard, Services
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Rows, open_door, run_in, shared_state
from tests.support.fault_server import FaultServer, answer, slowly
from tests.support.guard import queued, reply
from tests.support.waiting import within

CALLERS = 8


too_many = slowly(answer(429, b"{}", {"Retry-After": "60"}), naps=10)
"""Holds everybody back; the others wait by then, or come later and are refused alike."""


def door(url: str = "", *, clock: Any = None, rows: Rows | None = None, shared: Any = None, **settings: Any) -> Services:
    spec = ServiceSpec(NAME, "https://films.example", retries=0)
    given = {NAME: {"base_url": url, **settings}} if url else {NAME: settings}
    return open_door(spec, clock=clock or SystemClock(), rows=rows or Rows(), services=given, shared=shared)


def awaited(services: Services) -> list[Any]:
    async def work() -> list[Any]:
        async with services.http_client(NAME) as http:
            return await asyncio.gather(*(http.get("/film") for _ in range(CALLERS)), return_exceptions=True)

    return list(run_in(services, work))


def in_threads(work: Callable[[], Any]) -> list[Any]:
    def one() -> Any:
        try:
            return work()
        except ServiceError as error:
            return error

    with ThreadPoolExecutor(CALLERS) as pool:
        return [task.result() for task in [pool.submit(one) for _ in range(CALLERS)]]


def blocking(services: Services) -> list[Any]:
    with services.sync_client(NAME) as http:
        return in_threads(lambda: http.get("/film"))


@pytest.mark.parametrize("callers", [awaited, blocking])
@pytest.mark.parametrize("settings", [{"max_concurrent": 1}, {"rate_per_second": 2.0}], ids=["places", "rate"])
def test_lesson_22_a_long_pause_holds_back_who_waits_for_a_place_or_a_turn(
    server: FaultServer, callers: Callable[[Services], list[Any]], settings: dict[str, Any]
) -> None:
    server.plan("/film", too_many)
    rows = Rows()
    outcomes = callers(door(server.url, rows=rows, **settings))
    assert server.counts["/film"] == 1
    assert all(isinstance(one, RateLimitError) and 50.0 < (one.retry_after or 0.0) <= 60.0 for one in outcomes)
    assert sorted(rows.brief) == [(False, "rate_limit", 0)] * (CALLERS - 1) + [(False, "rate_limit", 1)]


def test_lesson_22_it_holds_back_the_threads_that_wait_to_call_a_function() -> None:
    services, called = open_door(clock=SystemClock(), rows=Rows()), list[float]()

    @guarded(ServiceSpec("shop", base_url="", max_concurrent=1), services=services)
    def work() -> None:
        called.append(time.monotonic())
        time.sleep(0.1)
        raise RateLimitError("slow down", retry_after=60.0)

    outcomes = in_threads(work)
    assert len(called) == 1
    assert all(isinstance(one, RateLimitError) for one in outcomes)


def test_lesson_22_a_short_pause_is_waited_out_with_the_place() -> None:
    clock, rows = FakeClock(), Rows()
    services = door(clock=clock, rows=rows, max_concurrent=1)
    first, second = (services.begin(Call(NAME, "call", "call")) for _ in range(2))
    held = first.attempt()
    assert first.counted()

    def told() -> None:
        queued(second)
        clock.advance(1.0)
        with pytest.raises(RateLimitError):
            first.answered(held, reply(429, headers={"retry-after": "4"}))

    threading.Thread(target=told).start()
    attempt = services.admit_now(second)
    assert (clock.monotonic(), clock.slept, attempt.wait) == (5.0, [4.0], 0.0)
    clock.advance(0.25)
    second.answered(attempt, reply())
    assert rows.all[1].response_time_ms == 250.0


def test_lesson_22_a_pause_that_leaves_the_deadline_no_room_ends_the_wait() -> None:
    clock = FakeClock()
    services = door(clock=clock, rate_per_second=1.0, deadline=5.0)
    ahead, behind, last = (services.begin(Call(NAME, "call", "call")) for _ in range(3))
    told, waiting, second = ahead.attempt(), behind.attempt(), last.attempt()
    with pytest.raises(RateLimitError):
        ahead.answered(told, reply(429, headers={"retry-after": "4.5"}))
    clock.advance(waiting.wait)
    assert behind.leaving(waiting).wait == 3.5
    clock.advance(second.wait - waiting.wait)
    with pytest.raises(ServiceTimeoutError, match="rate limit"):
        last.leaving(second)


@pytest.mark.parametrize("missing", ["lease", "probe"])
def test_lesson_22_it_holds_back_who_waits_for_the_database(server: FaultServer, tmp_path: Path, missing: str) -> None:
    server.plan("/film", answer())
    let_go = threading.Event()
    with shared_state(f"sqlite:///{tmp_path / 'shared.db'}", SystemClock()) as shared:
        settings: dict[str, Any] = {"daily_quota": 9} if missing == "lease" else {"breaker_wait": 0.01}
        services = door(server.url, shared=shared, cache_ttl=0.0, **settings)
        state = services.state(NAME)
        if missing == "probe":
            for _ in range(5):
                state.breaker.failure(state.breaker.acquire(time.monotonic()), time.monotonic())
            assert within(1.0, lambda: services.breaker_state(NAME) == "half_open")
        shared.submit(lambda: let_go.wait(10.0))

        async def work() -> Any:
            call = asyncio.ensure_future(services.http_client(NAME).get("/film"))
            await asyncio.sleep(0.1)
            state.hold(time.monotonic() + 60.0)
            let_go.set()
            return await asyncio.gather(call, return_exceptions=True)

        (outcome,) = run_in(services, work)
    assert isinstance(outcome, RateLimitError)
    assert server.received == []


async def sent(services: Services, guards: list[CallGuard], *, slow: int, stall: float) -> list[float]:
    """Let calls through the door, the first of which (``slow``) are answered only after a stall; return when each went."""
    clock: Any = services.clock
    went: list[float] = []
    stalled, over = asyncio.Event(), asyncio.Event()

    async def lead(guard: CallGuard) -> None:
        attempt = await services.admit(guard)
        went.append(clock.monotonic())
        if len(went) <= slow:
            stalled.set() if len(went) == slow else None
            await over.wait()
        guard.answered(attempt, Answer(200, {}, b"{}", "https://films.example/"))

    calls = [asyncio.ensure_future(lead(guard)) for guard in guards]
    await stalled.wait()
    clock.advance(stall)
    over.set()
    await asyncio.gather(*calls)
    return went


def test_turns_that_pass_while_a_place_is_waited_for_are_not_spent_at_once() -> None:
    services = door(clock=PatientClock(patient_from=5.0, patience=10.0), rate_per_second=4.0, max_concurrent=4)
    guards = [services.begin(Call(NAME, "call", "call")) for _ in range(16)]
    went = asyncio.run(sent(services, guards, slow=4, stall=3.0))
    assert went == [0.0, 0.25, 0.5, 0.75, *(3.75 + 0.25 * number for number in range(12))]


def test_who_waits_for_a_place_comes_before_a_newcomer_in_the_rate() -> None:
    services = door(clock=PatientClock(patient_from=5.0, patience=10.0), rate_per_second=1.0, max_concurrent=1, deadline=5.0)
    guards = [services.begin(Call(NAME, "call", "call")) for _ in range(8)]

    async def work() -> list[Any]:
        calls = [asyncio.ensure_future(services.admit(guard)) for guard in guards]
        for _ in range(100):
            await asyncio.sleep(0)
        ended = [call for call in calls if call.done()]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return [call.exception() for call in ended]

    leave, *refused = asyncio.run(work())
    assert leave is None
    assert [error.retry_after for error in refused] == [5.0] * 3, "one went, four wait, and a fifth would have to wait too long"
