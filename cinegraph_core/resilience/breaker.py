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
from math import ldexp
from typing import Literal

from cinegraph_core.resilience.breaker_states import (
    NEVER,
    BreakerRules,
    BreakerState,
    Closed,
    Era,
    HalfOpen,
    Open,
    Permit,
    Recovery,
    Refused,
)

__all__ = ["HEALTHY", "LONGEST_WAIT", "Breaker", "BreakerMode", "BreakerRules", "BreakerState", "OnChange", "Permit", "Refused"]

BreakerMode = Literal["auto", "shadow", "open"]
"""``shadow`` counts and changes state, but delays nobody and refuses only for a person; ``open`` refuses all until a reset."""
OnChange = Callable[[BreakerState, BreakerState, float | None], None]
"""Called with the old state, the new one and, for ``open``, the time at which a probe may go."""

LONGEST_WAIT = 600.0
"""Seconds up to which the wait doubles with each relapse (Envoy's outlier detection ends at 300)."""
HEALTHY = 3600.0
"""Seconds in good health after which one doubling is forgiven."""
_ROUNDING = 0.001
"""Seconds by which the time another process wrote down may seem earlier than it was."""


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
        self._since = self._sick_since = float("-inf")
        self._era: Era = Open(NEVER) if mode == "open" else Closed(self._rules, 0.0)

    @property
    def lease(self) -> float:
        """For how many seconds a probe has leave."""
        return self._rules.lease

    # ---------------------------------------------------------------------------------------------------- asking

    def state(self, now: float) -> BreakerState:
        """Return the state at ``now``; an open breaker whose wait is over is half-open."""
        return self._current(now).name

    def retry_at(self, now: float) -> float | None:
        """Return when an open breaker lets a probe through (``inf``: not by itself), ``None`` if it is not open."""
        era = self._current(now)
        return era.until if isinstance(era, Open) else None

    def acquire(self, now: float) -> Permit:
        """Return leave for one attempt; raises :class:`Refused`."""
        era = self._era
        if type(era) is Closed:
            return era.permit
        self._current(now)
        with self._lock:
            try:
                permit = self._era.admit(now)
            except Refused:
                if self._shadow and not self._is_held():
                    return Permit(None)
                raise
        return Permit(permit.era) if self._shadow and permit.at > now else permit

    def stands(self, permit: Permit) -> bool:
        """Tell whether an attempt that had to wait may still leave: the breaker has not opened since."""
        era = self._era
        return permit.era is era or type(era) is Closed or (self._shadow and not self._is_held())

    def departs(self, permit: Permit, now: float) -> bool:
        """Tell the same of one that a scheduler has kept, and that goes only now; a probe's leave counts from then on."""
        if not self.stands(permit):
            return False
        if type(permit.era) is HalfOpen:
            with self._lock:
                permit.era.depart(permit, now)
        return True

    # ------------------------------------------------------------------------------------------------- reporting

    def success(self, permit: Permit, now: float, took: float = 0.0) -> None:
        """Take note that the attempt was answered after ``took`` seconds; ignored if it began before a change of state."""
        with self._lock:
            era = permit.era
            if era is None or era is not self._era:
                return
            following = era.success(permit, now, slow=took > self._rules.slow_after)
            if following is None:
                return
            change = self._enter(following, now)
        self._tell(change)

    def failure(self, permit: Permit, now: float) -> None:
        """Take note that the attempt failed; ignored if it began before a change of state."""
        with self._lock:
            era = permit.era
            if era is None or era is not self._era:
                return
            following = era.failure(permit, now)
            if following is None:
                return
            change = self._enter(following, now)
        self._tell(change)

    def release(self, permit: Permit) -> None:
        """Give the leave back without a verdict: cancelled, or an answer that says nothing about health."""
        with self._lock:
            if isinstance(self._era, HalfOpen):
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
            change = self._succeed(Open(NEVER))
        self._tell(change)

    # ------------------------------------------------------------------------------------- what others found out

    def follow(self, until: float, now: float, found_at: float) -> bool:
        """Open until a moment because somebody else found the service sick at ``found_at``; returns whether that is news.

        Ignored if already open, or if the finding is older than the current half-open or ramp phase. The next trip waits twice
        as long. ``on_change`` is not called: whoever found it out has told everybody.
        """
        with self._lock:
            if isinstance(self._era, Open) or until <= now:
                return False
            if not isinstance(self._era, Closed) and found_at < self._since - _ROUNDING:
                return False
            self._open_until(until, found_at)
            return True

    def resume(self, until: float, found_at: float) -> None:
        """Begin open until a moment, which may have passed, because somebody found the service sick before this was made."""
        with self._lock:
            if isinstance(self._era, Closed):
                self._open_until(until, found_at)

    def recover(self, found_at: float, now: float) -> bool:
        """Begin the ramp because somebody else's probes were good at ``found_at``; returns whether that is news.

        Ignored by a breaker that has opened since, or that a person holds open. ``on_change`` is not called.
        """
        with self._lock:
            if not isinstance(self._era, HalfOpen | Open) or self._is_held() or found_at <= self._sick_since:
                return False
            self._enter("ramp", now)
            return True

    def postpone(self, permit: Permit, until: float) -> None:
        """Take a probe's leave back, because somebody else is probing; no other is given before ``until``."""
        with self._lock:
            if isinstance(self._era, HalfOpen):
                self._era.postpone(permit, until)

    # ----------------------------------------------------------------------------------------------------- inside

    def _is_held(self) -> bool:
        """Tell whether a person, or the settings, hold it open."""
        era = self._era
        return isinstance(era, Open) and era.until == NEVER

    def _current(self, now: float) -> Era:
        """Return the state at ``now``; one that was open long enough becomes half-open."""
        with self._lock:
            era = self._era
            change = self._enter("half_open", now) if isinstance(era, Open) and now >= era.until else None
            era = self._era
        self._tell(change)
        return era

    def _enter(self, state: BreakerState, now: float) -> tuple[Era, Era]:
        self._since = now
        if state == "open":
            self._sick_since = now
            return self._succeed(Open(now + self._wait_after_trip(now)))
        if state == "half_open":
            return self._succeed(HalfOpen(self._rules))
        return self._succeed(Recovery() if state == "ramp" else Closed(self._rules, now))

    def _open_until(self, until: float, found_at: float) -> None:
        self._succeed(Open(until))
        self._sick_since = found_at
        self._wait = self._after(max(self._rules.wait, until - found_at))

    def _succeed(self, era: Era) -> tuple[Era, Era]:
        old, self._era = self._era, era
        return old, era

    def _wait_after_trip(self, now: float) -> float:
        """Return how long to stay open: the plain wait at first, doubled (and jittered) for every trip not forgiven yet."""
        base = self._rules.wait
        if isinstance(self._era, Closed):
            self._wait = max(base, ldexp(self._wait, -int((now - self._era.since) // HEALTHY)))
        wait, self._wait = self._wait, self._after(self._wait)
        # Processes that tripped together would otherwise probe together.
        return wait * self._rng.uniform(0.9, 1.0) if wait > base else wait

    def _after(self, wait: float) -> float:
        """Return how long to wait the next time."""
        return min(max(self._rules.wait, LONGEST_WAIT), 2 * wait)

    def _tell(self, change: tuple[Era, Era] | None) -> None:
        if change is None or self._on_change is None:
            return
        old, new = change
        self._on_change(old.name, new.name, new.until if isinstance(new, Open) and new.until < NEVER else None)
