"""The breaker against an independent model: random histories, both must agree after each step.

In the suite a short run; ``BREAKER_MODEL_STEPS=300000`` before pytest asks for a long one.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cinegraph_core.resilience.breaker import Breaker, BreakerRules, Permit, Refused
from cinegraph_core.resilience.window import CountWindow, TimeWindow
from tests.support.door import Longest

FAILURES, WAIT, SUCCESSES, LEASE, MINIMUM, SLOW, WINDOW = 3, 60.0, 2, 15.0, 6, 5.0, 100.0
STEPS = int(os.environ.get("BREAKER_MODEL_STEPS", "25000"))
LENGTH = 100


class AgainstTheModel(RuleBasedStateMachine):
    """The model keeps what happened since the last change of state as plain words and reads everything off it."""

    by_number = False

    def __init__(self) -> None:
        super().__init__()
        window = (lambda: CountWindow(8)) if self.by_number else (lambda: TimeWindow(WINDOW))
        rules = BreakerRules(FAILURES, WAIT, SUCCESSES, LEASE, window, MINIMUM, slow_after=SLOW)
        self.breaker = Breaker(rules, rng=Longest())
        self.now = 0.0
        self.era = 0
        self.enter("closed")
        self.wait_next = WAIT
        self.permits: list[tuple[Permit, int]] = []

    # ------------------------------------------------------------------------------------------------- the model

    def enter(self, state: str, until: float = 0.0) -> None:
        self.state, self.until, self.since = state, until, self.now
        self.history: list[tuple[float, str]] = []
        self.asked: list[int] = []
        self.places: list[float] = []
        self.probe: tuple[Permit, float] | None = None
        self.era += 1

    def trip(self) -> None:
        if self.state == "closed":
            for _ in range(int((self.now - self.since) // 3600)):
                self.wait_next = max(WAIT, self.wait_next / 2)
        self.enter("open", self.now + self.wait_next)
        self.wait_next = min(600.0, self.wait_next * 2)

    def ripen(self) -> None:
        if self.state == "open" and self.now >= self.until:
            self.enter("half_open")

    def step(self) -> int:
        return len(self.history) // 5

    def place(self) -> float | None:
        """In the ramp: everybody who asks adds the share of the step, every place costs a hundred."""
        self.asked.append((5, 25, 50)[self.step()])
        free = max((place + 0.5 for place in self.places), default=self.now)
        at = self.now if sum(self.asked) - 100 * len(self.places) >= 100 else max(self.now, free)
        if at > self.now + 2.0:
            return None
        self.places.append(at)
        return at

    def expected_place(self) -> float | None:
        self.ripen()
        if self.state == "ramp":
            return self.place()
        if self.state == "open" or (self.probe is not None and self.now - self.probe[1] < LEASE):
            return None
        return self.now

    def note(self, outcome: str) -> None:
        """Take an outcome into the history and change the state if it says so."""
        self.history.append((self.now, outcome))
        outcomes = [one for _, one in self.history]
        if self.state == "closed":
            if outcome != "success" and (self.too_many_in_a_row(outcomes) or self.too_many_in_the_window()):
                self.trip()
        elif self.state == "half_open":
            if outcome != "success":
                self.trip()
            elif len(outcomes) == SUCCESSES:
                self.enter("ramp")
        elif sum(one != "success" for one in outcomes[(len(outcomes) - 1) // 5 * 5 :]) == 2:
            self.trip()
        elif len(outcomes) == 15:
            self.enter("closed")

    def too_many_in_a_row(self, outcomes: list[str]) -> bool:
        return outcomes[-FAILURES:] == ["failure"] * FAILURES

    def too_many_in_the_window(self) -> bool:
        tenth = WINDOW / 10
        recent = [one for when, one in self.history if when // tenth > self.now // tenth - 10]
        if self.by_number:
            recent = [one for _, one in self.history][-8:]
        worst = max(recent.count("failure"), recent.count("slow"))
        return len(recent) >= MINIMUM and 2 * worst >= len(recent)

    # ------------------------------------------------------------------------------------------------- the steps

    def ask(self) -> None:
        expected = self.expected_place()
        try:
            permit = self.breaker.acquire(self.now)
        except Refused as refusal:
            assert expected is None
            assert refusal.retry_at > self.now  # noqa: PT017 - being let through is right too
            return
        assert expected is not None
        assert max(self.now, permit.at) == expected
        if self.state == "half_open":
            self.probe = (permit, self.now)
        self.permits.append((permit, self.era))

    def report(self, index: int, outcome: str) -> None:
        permit, era = self.permits.pop(index)
        if outcome == "release":
            self.breaker.release(permit)
        elif outcome == "failure":
            self.breaker.failure(permit, self.now)
        else:
            self.breaker.success(permit, self.now, SLOW + 0.1 if outcome == "slow" else SLOW)
        is_probe = self.probe is not None and permit is self.probe[0]
        if era != self.era or (self.state == "half_open" and not is_probe):
            return
        self.probe = None
        if outcome != "release":
            self.note(outcome)

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 9.5, 14.5, 15.0, 59.5, 60.0, 120.0, 600.0, 3600.0, 7200.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.ripen()

    @rule()
    def somebody_asks(self) -> None:
        self.ask()

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), outcome=st.sampled_from(["success", "failure", "slow", "release"]))
    def somebody_reports(self, data: st.DataObject, outcome: str) -> None:
        self.report(data.draw(st.integers(0, len(self.permits) - 1)), outcome)

    @rule(times=st.integers(1, 16), outcome=st.sampled_from(["success", "success", "failure", "slow"]))
    def the_same_again_and_again(self, times: int, outcome: str) -> None:
        """One call after the other, so that the far ends of the ramp are reached too."""
        for _ in range(times):
            self.both_agree()
            had = len(self.permits)
            self.ask()
            if len(self.permits) == had:
                return
            self.now = max(self.now, self.permits[-1][0].at)
            self.report(-1, outcome)

    @precondition(lambda self: self.state == "ramp")
    @rule(size=st.integers(1, 150))
    def a_crowd_asks(self, size: int) -> None:
        for _ in range(size):
            self.ask()

    @precondition(lambda self: self.state == "open")
    @rule()
    def the_wait_is_over(self) -> None:
        self.now = max(self.now, min(self.until, self.now + 10_000))
        self.ripen()

    @rule(chance=st.integers(0, 9))
    def a_person_resets_it(self, chance: int) -> None:
        if chance == 0:
            self.breaker.reset(self.now)
            self.wait_next = WAIT
            self.enter("closed")

    @rule(chance=st.integers(0, 9))
    def a_person_opens_it(self, chance: int) -> None:
        if chance == 0:
            self.breaker.force_open()
            self.enter("open", float("inf"))

    @invariant()
    def both_agree(self) -> None:
        self.ripen()
        assert self.breaker.state(self.now) == self.state
        assert self.breaker.retry_at(self.now) == (self.until if self.state == "open" else None)
        current = [permit for permit, era in self.permits if era == self.era]
        assert all(map(self.breaker.stands, current))
        if self.state != "closed":
            assert not any(self.breaker.stands(permit) for permit, era in self.permits if era != self.era)


class ByNumber(AgainstTheModel):
    """The same with a window that counts calls."""

    by_number = True


_SETTINGS = settings(
    max_examples=max(1, STEPS // LENGTH // 2),
    stateful_step_count=LENGTH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
AgainstTheModel.TestCase.settings = ByNumber.TestCase.settings = _SETTINGS
test_random_histories_agree_with_the_model = AgainstTheModel.TestCase
test_random_histories_agree_with_the_model_that_counts_calls = ByNumber.TestCase
