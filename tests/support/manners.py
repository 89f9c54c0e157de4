"""Callers of each manner, for the table by which breakers are compared: one after the other, in a loop, in threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.errors import CircuitOpenError, ServiceError
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door

TIMEOUT = 8.0
SPEC = ServiceSpec("films", base_url="https://films.example", timeout=TIMEOUT)
CALLERS = 100


class Manner:
    """Callers of one manner, and a service that does what a test wants."""

    second_wait = (120.0, 120.0)
    """Seconds a relapse is waited out, at least and at most."""

    def __init__(self) -> None:
        self.spec = SPEC
        self.clock = PatientClock(patience=1.0)
        self.rows = Rows()
        self.services: Services = open_door(clock=self.clock, rows=self.rows)
        self._reached = 0
        self.refused = 0

    @property
    def reached(self) -> int:
        """How many calls came through to the service."""
        return self._reached

    @property
    def state(self) -> str:
        return self.services.breaker_state("films")

    @property
    def retry_after(self) -> float:
        return self.services.retry_after("films")

    @property
    def ended_as(self) -> set[str | None]:
        """The error types of all calls."""
        return {row.error_type for row in self.rows.all}

    @property
    def slept(self) -> list[float]:
        """The waits between attempts."""
        return self.clock.slept

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def hurry(self) -> None:
        """Let calls have no time to wait for a place beside the share."""
        self.spec = replace(SPEC, deadline=0.4)

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
        self._reached = self.refused = 0

    def _serve(self, outcome: BaseException | None) -> None:
        self._reached += 1
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
