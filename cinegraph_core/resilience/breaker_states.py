"""The states of a circuit breaker, one class for each, and the rules they go by.

Each state tells who may go (:class:`Permit` or :class:`Refused`), and which state a result leads to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from cinegraph_core.resilience.ramp import Ramp
from cinegraph_core.resilience.window import TimeWindow, Window

BreakerState = Literal["closed", "open", "half_open", "ramp"]
NEVER = float("inf")


class Refused(Exception):  # noqa: N818 - a refusal is an answer of the machine, the door makes an error of it
    """The breaker lets no attempt through before ``retry_at`` (seconds, in the caller's time base; ``inf``: not by itself)."""

    def __init__(self, retry_at: float) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a breaker opens, and for how long.

    It opens after ``failures`` failures in a row, or when the window holds at least ``minimum`` calls and the share
    ``failure_rate`` of them failed, or the share ``slow_rate`` took longer than ``slow_after`` seconds. It stays open for
    ``wait`` seconds, needs ``successes`` good probes, and a probe's leave expires after ``lease`` seconds, so that one that
    never reports cannot keep it half-open for ever. The defaults: five failures in a row, a wait of 60 seconds, two probes, a
    lease of 60 seconds; of at least twenty calls in two minutes, one half (Hystrix's limits); no answer is slow.
    """

    failures: int = 5
    wait: float = 60.0
    successes: int = 2
    lease: float = 60.0
    window: Callable[[], Window] = field(default=lambda: TimeWindow(120.0))
    minimum: int = 20
    failure_rate: float = 0.5
    slow_rate: float = 0.5
    slow_after: float = NEVER


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """Leave for one attempt, not before ``at``; ``era`` is the state that issued it, so that late results can be ignored.

    ``era`` is ``None`` for an attempt that a breaker in shadow mode would have refused.
    """

    era: Lending | None
    at: float = float("-inf")


class Closed:
    """Everybody goes; failures in a row and the window are watched."""

    name: ClassVar[BreakerState] = "closed"

    def __init__(self, rules: BreakerRules, since: float) -> None:
        self.since = since
        self.permit = Permit(self)
        self._rules = rules
        self._failures = 0
        self._window = rules.window()
        self._bad = 0
        """Failures and slow answers in the window when it was last looked at; below ``_enough`` a good answer needs no look."""
        self._enough = min(rules.failure_rate, rules.slow_rate) * rules.minimum

    def admit(self, now: float) -> Permit:  # noqa: ARG002 - the time matters to other states
        """Return the permit that all calls of this stretch share."""
        return self.permit

    def success(self, permit: Permit, now: float, *, slow: bool) -> BreakerState | None:  # noqa: ARG002
        """Count it, and tell whether the window is bad: a good answer too may complete its minimum."""
        self._failures = 0
        self._window.add(now, slow=slow)
        return "open" if (slow or self._bad >= self._enough) and self._is_sick(now) else None

    def failure(self, permit: Permit, now: float) -> BreakerState | None:  # noqa: ARG002
        """Count it, and tell whether it was one failure too many."""
        self._failures += 1
        self._window.add(now, failed=True)
        return "open" if self._failures >= self._rules.failures or self._is_sick(now) else None

    def _is_sick(self, now: float) -> bool:
        calls, failed, slow = self._window.totals(now)
        self._bad = failed + slow
        rules = self._rules
        return calls >= rules.minimum and (failed >= rules.failure_rate * calls or slow >= rules.slow_rate * calls)


class Open:
    """Nobody goes before ``until``."""

    name: ClassVar[BreakerState] = "open"

    def __init__(self, until: float) -> None:
        self.until = until

    def admit(self, now: float) -> Permit:  # noqa: ARG002
        """Refuse."""
        raise Refused(self.until)


class HalfOpen:
    """One probe at a time."""

    name: ClassVar[BreakerState] = "half_open"

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._probe: Permit | None = None
        self._lent_at = -NEVER
        self._successes = 0
        self._not_before = -NEVER

    def admit(self, now: float) -> Permit:
        """Lend the one probe, or refuse while it is out, here or elsewhere."""
        if now < self._not_before:
            raise Refused(self._not_before)
        if self._probe is not None and now < self._lent_at + self._rules.lease:
            raise Refused(self._lent_at + self._rules.lease)
        self._lent_at = now
        self._probe = Permit(self, now)
        return self._probe

    def depart(self, permit: Permit, now: float) -> None:
        """Let a probe that was kept count from now on, in the place of any that was lent meanwhile: it is the one that goes."""
        self._probe, self._lent_at = permit, now

    def success(self, permit: Permit, now: float, *, slow: bool) -> BreakerState | None:
        """Count a good probe; a slow one is none."""
        if slow:
            return self.failure(permit, now)
        if permit is not self._probe:
            return None
        self._probe = None
        self._successes += 1
        return "ramp" if self._successes >= self._rules.successes else None

    def failure(self, permit: Permit, now: float) -> BreakerState | None:  # noqa: ARG002
        """Open again if it was the probe that failed."""
        return "open" if permit is self._probe else None

    def release(self, permit: Permit) -> None:
        """Let another probe go in the place of one without a verdict."""
        if permit is self._probe:
            self._probe = None

    def postpone(self, permit: Permit, until: float) -> None:
        """Let no other probe go before ``until``, because somebody else's is under way."""
        if permit is self._probe:
            self._probe, self._not_before = None, until


class Recovery:
    """A growing share goes."""

    name: ClassVar[BreakerState] = "ramp"

    def __init__(self) -> None:
        self._ramp = Ramp()

    def admit(self, now: float) -> Permit:
        """Give a place on the ramp, perhaps a moment from now, or refuse."""
        at = self._ramp.place(now)
        if at is None:
            raise Refused(self._ramp.next_place)
        return Permit(self, at)

    def success(self, permit: Permit, now: float, *, slow: bool) -> BreakerState | None:  # noqa: ARG002
        """Count for the gate of the step."""
        return self._ramp.count(success=not slow)

    def failure(self, permit: Permit, now: float) -> BreakerState | None:  # noqa: ARG002
        """Count against the gate of the step."""
        return self._ramp.count(success=False)


Lending = Closed | HalfOpen | Recovery
"""One stretch of time in one state that gives permits; what a permit of another one reports is ignored."""
Era = Lending | Open
