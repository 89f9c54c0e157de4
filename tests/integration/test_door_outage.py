"""An outage as a whole, on the virtual clock: 50 calls a second, a service that refuses at once for 180 seconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import pytest

from cinegraph_core.contracts import Answer, BreakerWindow, Call, ServiceSpec
from cinegraph_core.errors import ServiceError
from cinegraph_core.resilience.ramp import GATE, SHARES
from cinegraph_core.services import CallGuard, Services
from cinegraph_core.services.verdicts import Again, Attempt
from cinegraph_core.testing import FakeClock
from tests.support.door import Rows, open_door

NAME = "films"
PER_SECOND = 50
OUTAGE = 180.0
OFFERED = PER_SECOND * OUTAGE


@dataclass
class Outage:
    """Offers calls evenly and plays the service, which answers at once: with 503 until it is well again."""

    services: Services
    clock: FakeClock
    rows: Rows
    asked: list[tuple[float, str]] = field(default_factory=list)
    """When each attempt was asked for, in which state of the breaker."""
    requests: list[tuple[float, str, bool]] = field(default_factory=list)
    """When each request left, in which state of the breaker, and whether it was answered."""
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    def run(self, seconds: float) -> None:
        for number in range(int(seconds * PER_SECOND)):
            self.at(number / PER_SECOND, self.begin)
        while self._due:
            when, _, act = heapq.heappop(self._due)
            self.clock.advance(when - self.clock.monotonic())
            act()

    def at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._order), act))

    def begin(self) -> None:
        self.ask(self.services.begin(Call(NAME, "movie_details", "tt1")))

    def ask(self, guard: CallGuard) -> None:
        now = self.clock.monotonic()
        self.asked.append((now, self.services.breaker_state(NAME)))
        with suppress(ServiceError):
            attempt = guard.attempt()
            self.at(now + attempt.wait, partial(self.send, guard, attempt))

    def send(self, guard: CallGuard, attempt: Attempt) -> None:
        now = self.clock.monotonic()
        well = now >= OUTAGE
        with suppress(ServiceError):
            guard.leaving(attempt)
            self.requests.append((now, self.services.breaker_state(NAME), well))
            verdict = guard.answered(attempt, Answer(200 if well else 503, {}, b"{}", "https://films.example/"))
            if isinstance(verdict, Again):
                self.at(now + verdict.wait, partial(self.ask, guard))


def outage(**options: Any) -> Outage:
    clock, rows = FakeClock(), Rows()
    return Outage(open_door(ServiceSpec(NAME, "https://films.example", **options), clock=clock, rows=rows), clock, rows)


@pytest.fixture(scope="module")
def whole() -> Outage:
    """The outage with everything on, until the service has been back for a while."""
    one = outage()
    one.run(600.0)
    return one


def test_with_the_breaker_the_dead_service_is_left_in_peace(whole: Outage) -> None:
    reached = [when for when, _, well in whole.requests if not well]
    assert len(reached) / OFFERED <= 0.001


def test_the_first_success_comes_within_a_second_of_the_waits_end(whole: Outage) -> None:
    last_refusal = max(when for when, state in whole.asked if state == "open")
    first_success = next(when for when, _, well in whole.requests if well)
    assert 0.0 < first_success - last_refusal <= 1.0


def test_the_ramp_never_exceeds_its_share(whole: Outage) -> None:
    asked = [(when, "asked") for when, state in whole.asked if state == "ramp"]
    sent = [(when, "sent") for when, state, _ in whole.requests if state == "ramp"]
    assert len(sent) == GATE * len(SHARES)
    share, left = 0.0, 0
    for _, what in sorted(asked + sent):
        if what == "asked":
            share += SHARES[min(left // GATE, len(SHARES) - 1)] / 100
        else:
            left += 1
            assert left <= share + 1
    assert whole.services.breaker_state(NAME) == "closed"


def test_every_call_has_its_row_and_every_request_is_counted(whole: Outage) -> None:
    assert len(whole.rows.all) == 600 * PER_SECOND
    assert sum(row.attempts for row in whole.rows.all) == len(whole.requests)


def test_without_the_breaker_the_retry_budget_bounds_the_load() -> None:
    bare = outage(breaker_failures=10**6, breaker_window=BreakerWindow(minimum=10**6))
    bare.run(OUTAGE)
    reached = sum(not well for _, _, well in bare.requests)
    assert 1.0 <= reached / OFFERED <= 1.11
