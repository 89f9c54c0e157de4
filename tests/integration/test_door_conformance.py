"""What breakers measured side by side got wrong, asked of ours by callers of each manner: one after the other, async, threads.

The table is the one by which seven libraries were compared: most let a hundred callers through at half-open, never trip on
four failures of five or on slowness, close on a success of before the trip, or count a caller's own cancellation.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.errors import CircuitOpenError, RateLimitError, ServiceError
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door

SPEC = ServiceSpec("films", base_url="https://films.example", timeout=8.0)
CALLERS = 100


class Manner:
    """Callers of one manner, and a service that does what a test wants."""

    def __init__(self) -> None:
        self.spec = SPEC
        self.clock = PatientClock(patience=1.0)
        self.rows = Rows()
        self.services: Services = open_door(clock=self.clock, rows=self.rows)
        self.reached = 0
        self.refused = 0

    @property
    def state(self) -> str:
        return self.services.breaker_state("films")

    def call(self, outcome: BaseException | None = None, *, meanwhile: Callable[[], None] | None = None) -> None:
        """Make one call; ``meanwhile`` happens while it is under way."""
        raise NotImplementedError

    def crowd(self, outcome: BaseException | None) -> None:
        """Let a hundred call at once; whoever reaches the service stays there until all have asked."""
        raise NotImplementedError

    def calls(self, pattern: str) -> None:
        for letter in pattern:
            with suppress(ServiceError):
                self.call(ConnectionResetError() if letter == "F" else None)

    def trip(self) -> None:
        self.calls("FFFFF")
        assert self.state == "open"
        self.reached = self.refused = 0

    def _serve(self, outcome: BaseException | None) -> None:
        self.reached += 1
        if outcome is not None:
            raise outcome


class InTurn(Manner):
    """Callers without threads or loops: a hundred at once are ninety-nine who call while the first is served."""

    def call(self, outcome: BaseException | None = None, *, meanwhile: Callable[[], None] | None = None) -> None:
        @guarded(self.spec, services=self.services)
        def work() -> None:
            if meanwhile:
                meanwhile()
            self._serve(outcome)

        try:
            work()
        except CircuitOpenError:
            self.refused += 1
            raise

    def crowd(self, outcome: BaseException | None) -> None:
        def others() -> None:
            for _ in range(CALLERS - 1):
                with suppress(ServiceError):
                    self.call(outcome)

        with suppress(ServiceError):
            self.call(outcome, meanwhile=others)


class Tasks(Manner):
    """Callers on one event loop."""

    def call(self, outcome: BaseException | None = None, *, meanwhile: Callable[[], None] | None = None) -> None:
        async def work() -> None:
            if meanwhile:
                await asyncio.to_thread(meanwhile)
            self._serve(outcome)

        asyncio.run(self._counted(work))

    def crowd(self, outcome: BaseException | None) -> None:
        async def all_of_them() -> None:
            everybody = asyncio.Event()

            async def work() -> None:
                await everybody.wait()
                self._serve(outcome)

            tasks = [asyncio.ensure_future(self._counted(work)) for _ in range(CALLERS)]
            await asyncio.sleep(0.05)
            everybody.set()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(all_of_them())

    async def _counted(self, work: Callable[[], Any]) -> None:
        try:
            await guarded(self.spec, services=self.services)(work)()
        except CircuitOpenError:
            self.refused += 1
            raise


class Threads(InTurn):
    """Callers in threads of their own."""

    def crowd(self, outcome: BaseException | None) -> None:
        start, lock = threading.Barrier(CALLERS), threading.Lock()
        inside, outside = [0], [0]

        @guarded(self.spec, services=self.services)
        def work() -> None:
            with lock:
                inside[0] += 1
            while inside[0] + outside[0] < CALLERS:
                time.sleep(0.001)
            with lock:
                self._serve(outcome)

        def caller() -> None:
            start.wait()
            try:
                work()
            except CircuitOpenError:
                with lock:
                    self.refused += 1
                    outside[0] += 1
            except ServiceError:
                pass

        threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10.0)


@pytest.fixture(params=[InTurn, Tasks, Threads], ids=["sync", "async", "threads"])
def callers(request: pytest.FixtureRequest) -> Manner:
    return request.param()  # type: ignore[no-any-return]


def test_lesson_21_of_a_hundred_at_half_open_one_reaches_the_sick_service(callers: Manner) -> None:
    callers.trip()
    callers.clock.advance(60.0)
    callers.crowd(ConnectionResetError())
    assert (callers.reached, callers.refused, callers.state) == (1, 99, "open")


def test_lesson_21_of_a_hundred_at_half_open_one_reaches_the_healthy_service(callers: Manner) -> None:
    callers.trip()
    callers.clock.advance(60.0)
    callers.crowd(None)
    assert (callers.reached, callers.refused, callers.state) == (1, 99, "half_open")


def test_a_service_that_fails_four_times_of_five_is_left_alone(callers: Manner) -> None:
    callers.calls("FFFFs" * 40)
    assert (callers.reached, callers.refused) == (21, 179)


def test_a_service_that_grows_slow_is_left_alone(callers: Manner) -> None:
    for _ in range(30):
        with suppress(ServiceError):
            callers.call(meanwhile=lambda: callers.clock.advance(5.1))
    assert (callers.reached, callers.refused) == (20, 10)


def test_lesson_21_a_success_of_before_the_trip_does_not_close_it(callers: Manner) -> None:
    callers.call(meanwhile=callers.trip)
    assert callers.state == "open"


def test_eight_cancelled_callers_are_no_failures(callers: Manner) -> None:
    for _ in range(8):
        with pytest.raises((KeyboardInterrupt, asyncio.CancelledError)):
            callers.call(asyncio.CancelledError())
    assert callers.state == "closed"
    assert {row.error_type for row in callers.rows.all} == {"cancelled"}


def test_a_cancelled_probe_does_not_leave_it_stuck(callers: Manner) -> None:
    callers.trip()
    callers.clock.advance(60.0)
    with pytest.raises((KeyboardInterrupt, asyncio.CancelledError)):
        callers.call(asyncio.CancelledError())
    callers.calls("ss")
    assert (callers.reached, callers.refused, callers.state) == (3, 0, "ramp")


def test_recovery_is_gradual_and_a_relapse_waits_longer(callers: Manner) -> None:
    callers.spec = replace(SPEC, deadline=0.4)  # too short to wait for a place beside the share
    callers.trip()
    callers.clock.advance(60.0)
    callers.calls("ss")
    callers.crowd(None)
    assert 2 < callers.reached <= 2 + 15
    assert callers.refused >= 85
    assert callers.state == "ramp"
    while callers.state == "ramp":
        callers.clock.advance(2.0)
        callers.calls("F")
    assert callers.services.retry_after("films") == pytest.approx(120.0)


def test_a_hold_is_kept_without_sleeping_and_is_no_failure(callers: Manner) -> None:
    for _ in range(8):
        with pytest.raises(RateLimitError):
            callers.call(RateLimitError("slow down", retry_after=3600.0))
    assert (callers.reached, callers.state, callers.clock.slept) == (1, "closed", [])
    callers.clock.advance(3600.0)
    callers.calls("s")
    assert callers.reached == 2
