"""The breaker against an independent model: random histories, both must agree after each step."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cinegraph_core.resilience.breaker import Breaker, Permit, Refused

FAILURES, WAIT, SUCCESSES, LEASE = 3, 60.0, 2, 15.0


class AgainstTheModel(RuleBasedStateMachine):
    """The model keeps the history since the last change of state as plain words and reads everything off it."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(FAILURES, WAIT, SUCCESSES, lease=LEASE)
        self.now = 0.0
        self.era = 0
        self.state = "closed"
        self.history: list[str] = []
        self.opened_at = 0.0
        self.probe: tuple[Permit, float] | None = None
        self.permits: list[tuple[Permit, int]] = []

    def enter(self, state: str) -> None:
        self.state, self.history, self.probe = state, [], None
        self.era += 1
        if state == "open":
            self.opened_at = self.now

    def ripen(self) -> None:
        if self.state == "open" and self.now - self.opened_at >= WAIT:
            self.enter("half_open")

    @rule(seconds=st.sampled_from([0.0, 1.0, 14.0, 15.0, 59.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.ripen()

    @rule()
    def somebody_asks(self) -> None:
        self.ripen()
        leased = self.probe is not None and self.now - self.probe[1] < LEASE
        expected = self.state == "closed" or (self.state == "half_open" and not leased)
        try:
            permit = self.breaker.acquire(self.now)
        except Refused as refusal:
            assert not expected and refusal.retry_at > self.now  # noqa: PT017, PT018 - being let through is right too
            return
        assert expected
        if self.state == "half_open":
            self.probe = (permit, self.now)
        self.permits.append((permit, self.era))

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), outcome=st.sampled_from(["success", "failure", "release"]))
    def somebody_reports(self, data: st.DataObject, outcome: str) -> None:
        permit, era = self.permits.pop(data.draw(st.integers(0, len(self.permits) - 1)))
        if outcome == "release":
            self.breaker.release(permit)
        else:
            getattr(self.breaker, outcome)(permit, self.now)
        is_probe = self.probe is not None and permit is self.probe[0]
        if era != self.era or (self.state == "half_open" and not is_probe):
            return
        if self.state == "half_open":
            self.probe = None
        if outcome != "release":
            self.history.append(outcome)
        bad = ["failure"] * (FAILURES if self.state == "closed" else 1)
        if self.history[-len(bad) :] == bad:
            self.enter("open")
        elif self.state == "half_open" and self.history.count("success") == SUCCESSES:
            self.enter("closed")

    @invariant()
    def both_agree(self) -> None:
        assert self.breaker.state(self.now) == self.state


AgainstTheModel.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None, database=None)
test_random_histories_agree_with_the_model = AgainstTheModel.TestCase
