"""The breaker against an independent model: random histories, both must agree after each step.

In the suite a short run; ``BREAKER_MODEL_STEPS=300000`` before pytest asks for a long one.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cinegraph_core.resilience.breaker import Breaker, BreakerMode, BreakerRules, Permit, Refused
from cinegraph_core.resilience.window import CountWindow, TimeWindow
from tests.support.breaker_model import CALLS, FAILURES, LEASE, MINIMUM, NEVER, SUCCESSES, WAIT, WINDOW, Leave, PlainBreaker
from tests.support.door import Longest

SLOW = 5.0
STEPS = int(os.environ.get("BREAKER_MODEL_STEPS", "20000"))
LENGTH, USUALLY = 100, 85
"""Steps of a history at the most, and about how many it has: Hypothesis ends some early."""
SELDOM = st.sampled_from([True, *[False] * 9])
UNSEEN = st.sampled_from([0.0, 0.0, 60.0, 600.0])
"""Seconds since anybody looked at the breaker: an open one may be due to half-open."""
FOUND = st.tuples(st.sampled_from(["since", "sick_at", "now"]), st.sampled_from([-30.0, -1 / 512, -1 / 1024, 0.0, 0.25, 60.0]))
"""When somebody else found something out, counted from a moment; a thousandth is within what a clock's rounding may lose."""


class AgainstTheModel(RuleBasedStateMachine):
    """Everything public of a breaker, in any order."""

    by_number = False

    @initialize(mode=st.sampled_from(["auto", "auto", "auto", "auto", "shadow", "open"]))
    def begin(self, mode: BreakerMode) -> None:
        window = (lambda: CountWindow(CALLS)) if self.by_number else (lambda: TimeWindow(WINDOW))
        rules = BreakerRules(FAILURES, WAIT, SUCCESSES, LEASE, window, MINIMUM, slow_after=SLOW)
        self.told: list[tuple[str, str, float | None]] = []
        self.breaker = Breaker(rules, mode=mode, on_change=lambda *change: self.told.append(change), rng=Longest())
        self.model = PlainBreaker(mode, by_number=self.by_number)
        self.leaves: list[tuple[Permit, Leave]] = []

    @property
    def now(self) -> float:
        return self.model.now

    def wait_for(self, moment: float) -> None:
        self.model.now = max(self.now, moment)

    def found_at(self, found: tuple[str, float]) -> float:
        moment, offset = found
        return min(self.now, float(getattr(self.model, moment)) + offset)

    def ask(self) -> None:
        expected = self.model.ask()
        try:
            permit = self.breaker.acquire(self.now)
        except Refused as refusal:
            assert refusal.retry_at == expected  # noqa: PT017 - being let through is right too
            assert refusal.retry_at > self.now  # noqa: PT017
            return
        assert isinstance(expected, Leave)
        assert max(self.now, permit.at) == expected.at
        self.leaves.append((permit, expected))

    def report(self, index: int, outcome: str) -> None:
        permit, leave = self.leaves.pop(index)
        self.model.report(leave, outcome)
        if outcome == "release":
            self.breaker.release(permit)
        elif outcome == "failure":
            self.breaker.failure(permit, self.now)
        else:
            self.breaker.success(permit, self.now, SLOW + 0.1 if outcome == "slow" else SLOW)

    # ------------------------------------------------------------------------------------------------- the steps

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 9.5, 14.5, 15.0, 59.5, 60.0, 120.0, 600.0, 3600.0, 7200.0]))
    def time_passes(self, seconds: float) -> None:
        self.wait_for(self.now + seconds)

    @rule()
    def somebody_asks(self) -> None:
        self.ask()

    @precondition(lambda self: self.leaves)
    @rule(data=st.data(), outcome=st.sampled_from(["success", "failure", "slow", "release"]))
    def somebody_reports(self, data: st.DataObject, outcome: str) -> None:
        self.report(data.draw(st.integers(0, len(self.leaves) - 1)), outcome)

    @rule(times=st.integers(1, 16), outcome=st.sampled_from(["success", "success", "failure", "slow"]))
    def the_same_again_and_again(self, times: int, outcome: str) -> None:
        """One call after the other, so that the far ends of the ramp are reached too."""
        for _ in range(times):
            self.both_agree()
            had = len(self.leaves)
            self.ask()
            if len(self.leaves) == had:
                return
            self.wait_for(self.leaves[-1][0].at)
            self.report(-1, outcome)

    @precondition(lambda self: self.model.state == "ramp")
    @rule(size=st.integers(1, 150))
    def a_crowd_asks(self, size: int) -> None:
        for _ in range(size):
            self.ask()

    @precondition(lambda self: self.model.state == "open")
    @rule()
    def the_wait_is_over(self) -> None:
        self.wait_for(min(self.model.until, self.now + 10_000))

    @rule(does=SELDOM, unseen=UNSEEN)
    def a_person_resets_it(self, does: bool, unseen: float) -> None:
        if does or self.model.until == NEVER:
            self.wait_for(self.now + unseen)
            self.model.reset()
            self.breaker.reset(self.now)

    @rule(does=SELDOM, unseen=UNSEEN)
    def a_person_opens_it(self, does: bool, unseen: float) -> None:
        if does:
            self.wait_for(self.now + unseen)
            self.model.force_open()
            self.breaker.force_open()

    @rule(does=SELDOM, unseen=UNSEEN, left=st.sampled_from([-1.0, 0.0, 0.5, 60.0, 90.0, 400.0, NEVER]), found=FOUND)
    def another_found_it_sick(self, does: bool, unseen: float, left: float, found: tuple[str, float]) -> None:
        if does or self.model.state != "closed":
            self.wait_for(self.now + unseen)
            until, found_at = self.now + left, self.found_at(found)
            assert self.breaker.follow(until, self.now, found_at) is self.model.follow(until, found_at)

    @rule(unseen=UNSEEN, found=FOUND)
    def another_found_it_well(self, unseen: float, found: tuple[str, float]) -> None:
        self.wait_for(self.now + unseen)
        found_at = self.found_at(found)
        assert self.breaker.recover(found_at, self.now) is self.model.recover(found_at)

    @rule(data=st.data(), seconds=st.sampled_from([0.0, 0.5, 15.0, 60.0]), patient=st.booleans())
    def another_probes_in_its_place(self, data: st.DataObject, seconds: float, patient: bool) -> None:
        if self.model.state == "half_open":
            self.ask()
        if not self.leaves:
            return
        until = self.now + seconds
        permit, leave = self.leaves[-1 - data.draw(st.integers(0, len(self.leaves) - 1))]
        self.model.postpone(leave, until)
        self.breaker.postpone(permit, until)
        self.ask()
        if patient:
            self.wait_for(until)
            self.ask()

    @invariant()
    def both_agree(self) -> None:
        self.model.ripen()
        assert self.breaker.lease == LEASE
        assert self.breaker.state(self.now) == self.model.state
        assert self.breaker.retry_at(self.now) == (self.model.until if self.model.state == "open" else None)
        assert self.told == self.model.told
        self.told.clear()
        self.model.told.clear()
        assert all(self.breaker.stands(permit) is self.model.stands(leave) for permit, leave in self.leaves)


class ByNumber(AgainstTheModel):
    """The same with a window that counts calls."""

    by_number = True


_SETTINGS = settings(
    max_examples=max(1, STEPS // USUALLY // 2),
    stateful_step_count=LENGTH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
AgainstTheModel.TestCase.settings = ByNumber.TestCase.settings = _SETTINGS
test_random_histories_agree_with_the_model = AgainstTheModel.TestCase
test_random_histories_agree_with_the_model_that_counts_calls = ByNumber.TestCase
