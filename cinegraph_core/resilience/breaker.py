"""A circuit breaker as a plain state machine: closed → open → half-open → ramp → closed.

The time is passed in (any monotonic seconds) and so is chance, so that a test turns both by hand. A short lock guards each
change of state and is never held while a call is under way. The rules answer the faults of breakers measured side by side:
half-open comes by itself, one leased probe at a time, two successes mean two, what began before a trip changes nothing,
recovery is gradual, and a relapse is waited out longer.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ldexp
from typing import ClassVar, Literal

from cinegraph_core.resilience.ramp import Ramp
from cinegraph_core.resilience.window import TimeWindow, Window

BreakerState = Literal["closed", "open", "half_open", "ramp"]
BreakerMode = Literal["auto", "shadow", "open"]
"""``shadow`` counts and changes state but refuses nobody; ``open`` refuses everybody until it is reset."""
OnChange = Callable[[BreakerState, BreakerState, float | None], None]
"""Called with the old state, the new one and, for ``open``, the time at which a probe may go."""

LONGEST_WAIT = 600.0
"""Seconds up to which the wait doubles with each relapse (Envoy's outlier detection ends at 300)."""
HEALTHY = 3600.0
"""Seconds in good health after which one doubling is forgiven."""
NEVER = float("inf")


class Refused(Exception):  # noqa: N818 - a refusal is an answer of the machine, the door makes an error of it
    """The breaker lets no attempt through before ``retry_at`` (seconds, in the caller's time base; ``inf``: not by itself)."""

    def __init__(self, retry_at: float) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a breaker opens, and for how long.

    It opens after ``failures`` failures in a row, or when of at least ``minimum`` calls in the window ``failure_rate`` failed
    or ``slow_rate`` took longer than ``slow_after`` seconds. It stays open for ``wait`` seconds, needs ``successes`` good
    probes, and a probe's leave expires after ``lease`` seconds, so that one that never reports cannot keep it half-open for
    ever. The defaults are the classic five, sixty and two; twenty calls and half of them are Hystrix's.
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
    """Leave for one attempt that starts not before ``at``; ``era`` tells a result of before a change of state from one of after.

    ``era`` is ``None`` for an attempt that a breaker in shadow mode would have refused.
    """

    era: _Lending | None
    at: float = float("-inf")


class _Closed:
    """Everybody goes; failures in a row and the window are watched."""

    name: ClassVar[BreakerState] = "closed"

    def __init__(self, rules: BreakerRules, since: float) -> None:
        self.since = since
        self.permit = Permit(self)
        self._rules = rules
        self._failures = 0
        self._window = rules.window()

    def admit(self, now: float) -> Permit:  # noqa: ARG002 - the time matters to other states
        return self.permit

    def success(self, permit: Permit, now: float, *, slow: bool) -> BreakerState | None:  # noqa: ARG002
        self._failures = 0
        self._window.add(now, slow=slow)
        return "open" if slow and self._is_sick(now) else None

    def failure(self, permit: Permit, now: float) -> BreakerState | None:  # noqa: ARG002
        self._failures += 1
        self._window.add(now, failed=True)
        return "open" if self._failures >= self._rules.failures or self._is_sick(now) else None

    def _is_sick(self, now: float) -> bool:
        calls, failed, slow = self._window.totals(now)
        rules = self._rules
        return calls >= rules.minimum and (failed >= rules.failure_rate * calls or slow >= rules.slow_rate * calls)


class _Open:
    """Nobody goes before ``until``."""

    name: ClassVar[BreakerState] = "open"

    def __init__(self, until: float) -> None:
        self.until = until

    def admit(self, now: float) -> Permit:  # noqa: ARG002
        raise Refused(self.until)


class _HalfOpen:
    """One probe at a time."""

    name: ClassVar[BreakerState] = "half_open"

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._probe: Permit | None = None
        self._successes = 0

    def admit(self, now: float) -> Permit:
        if self._probe is not None and now < self._probe.at + self._rules.lease:
            raise Refused(self._probe.at + self._rules.lease)
        self._probe = Permit(self, now)
        return self._probe

    def success(self, permit: Permit, now: float, *, slow: bool) -> BreakerState | None:
        if slow:
            return self.failure(permit, now)
        if permit is not self._probe:
            return None
        self._probe = None
        self._successes += 1
        return "ramp" if self._successes >= self._rules.successes else None

    def failure(self, permit: Permit, now: float) -> BreakerState | None:  # noqa: ARG002
        return "open" if permit is self._probe else None

    def release(self, permit: Permit) -> None:
        if permit is self._probe:
            self._probe = None


class _Recovery:
    """A growing share goes."""

    name: ClassVar[BreakerState] = "ramp"

    def __init__(self) -> None:
        self._ramp = Ramp()

    def admit(self, now: float) -> Permit:
        at = self._ramp.place(now)
        if at is None:
            raise Refused(self._ramp.next_place)
        return Permit(self, at)

    def success(self, permit: Permit, now: float, *, slow: bool) -> BreakerState | None:  # noqa: ARG002
        return self._ramp.count(success=not slow)

    def failure(self, permit: Permit, now: float) -> BreakerState | None:  # noqa: ARG002
        return self._ramp.count(success=False)


_Lending = _Closed | _HalfOpen | _Recovery
"""One stretch of time in one state that gives permits; what a permit of another one reports is ignored."""
_Era = _Lending | _Open


class Breaker:
    """Refuses attempts while a service is sick, by :class:`BreakerRules`.

    ``on_change`` is called after a change, outside the lock.
    """

    def __init__(
        self,
        rules: BreakerRules | None = None,
        *,
        mode: BreakerMode = "auto",
        on_change: OnChange | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._rules = rules or BreakerRules()
        self._shadow = mode == "shadow"
        self._on_change = on_change
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._lock = threading.Lock()
        self._wait = self._rules.wait
        self._era: _Era = _Open(NEVER) if mode == "open" else _Closed(self._rules, 0.0)

    # ---------------------------------------------------------------------------------------------------- asking

    def state(self, now: float) -> BreakerState:
        """Return the state at ``now``; an open breaker whose wait is over is half-open."""
        return self._current(now).name

    def retry_at(self, now: float) -> float | None:
        """Return when an open breaker lets a probe through (``inf``: not by itself), ``None`` if it is not open."""
        era = self._current(now)
        return era.until if isinstance(era, _Open) else None

    def acquire(self, now: float) -> Permit:
        """Return leave for one attempt; raises :class:`Refused`."""
        era = self._era
        if type(era) is _Closed:
            return era.permit
        self._current(now)
        with self._lock:
            try:
                return self._era.admit(now)
            except Refused:
                if not self._shadow:
                    raise
                return Permit(None)

    def stands(self, permit: Permit) -> bool:
        """Tell whether an attempt that had to wait may still leave: the breaker has not opened since."""
        era = self._era
        return permit.era is era or type(era) is _Closed or self._shadow

    # ------------------------------------------------------------------------------------------------- reporting

    def success(self, permit: Permit, now: float, took: float = 0.0) -> None:
        """Take note that the attempt was answered after ``took`` seconds; ignored if it began before a change of state."""
        with self._lock:
            era = permit.era
            if era is None or era is not self._era:
                return
            following = era.success(permit, now, slow=took > self._rules.slow_after)
            change = self._enter(following, now) if following else None
        self._tell(change)

    def failure(self, permit: Permit, now: float) -> None:
        """Take note that the attempt failed; ignored if it began before a change of state."""
        with self._lock:
            era = permit.era
            if era is None or era is not self._era:
                return
            following = era.failure(permit, now)
            change = self._enter(following, now) if following else None
        self._tell(change)

    def release(self, permit: Permit) -> None:
        """Give the leave back without a verdict: cancelled, or an answer that says nothing about health."""
        with self._lock:
            if isinstance(self._era, _HalfOpen):
                self._era.release(permit)

    # ---------------------------------------------------------------------------------------------------- by hand

    def reset(self, now: float) -> None:
        """Close it and forget what was, relapses too."""
        with self._lock:
            self._wait = self._rules.wait
            change = self._enter("closed", now)
        self._tell(change if change[0].name != "closed" else None)

    def force_open(self) -> None:
        """Open it until :meth:`reset`."""
        with self._lock:
            change = self._succeed(_Open(NEVER))
        self._tell(change)

    def follow(self, until: float, now: float) -> bool:
        """Open until a moment because somebody else found the service sick; returns whether it was closed and is open now.

        ``on_change`` is not called: who found it out has told.
        """
        with self._lock:
            if not isinstance(self._era, _Closed) or until <= now:
                return False
            self._succeed(_Open(until))
            return True

    # ----------------------------------------------------------------------------------------------------- inside

    def _current(self, now: float) -> _Era:
        """Return the era at ``now``: what was open long enough becomes half-open."""
        with self._lock:
            era = self._era
            change = self._enter("half_open", now) if isinstance(era, _Open) and now >= era.until else None
            era = self._era
        self._tell(change)
        return era

    def _enter(self, state: BreakerState, now: float) -> tuple[_Era, _Era]:
        if state == "open":
            return self._succeed(_Open(now + self._wait_after_trip(now)))
        if state == "half_open":
            return self._succeed(_HalfOpen(self._rules))
        return self._succeed(_Recovery() if state == "ramp" else _Closed(self._rules, now))

    def _succeed(self, era: _Era) -> tuple[_Era, _Era]:
        old, self._era = self._era, era
        return old, era

    def _wait_after_trip(self, now: float) -> float:
        """Return how long to stay open: the plain wait at first, doubled (and jittered) for every trip not forgiven yet."""
        base = self._rules.wait
        if isinstance(self._era, _Closed):
            self._wait = max(base, ldexp(self._wait, -int((now - self._era.since) // HEALTHY)))
        wait, self._wait = self._wait, min(max(base, LONGEST_WAIT), 2 * self._wait)
        # Processes that tripped together would otherwise probe together.
        return wait * self._rng.uniform(0.9, 1.0) if wait > base else wait

    def _tell(self, change: tuple[_Era, _Era] | None) -> None:
        if change is None or self._on_change is None:
            return
        old, new = change
        self._on_change(old.name, new.name, new.until if isinstance(new, _Open) and new.until < NEVER else None)
