"""A circuit breaker as a plain state machine: closed → open → half-open → closed.

The time is passed in (any monotonic seconds), so that a test turns it by hand. A short lock guards each change of state
and is never held while a call is under way. The rules answer the faults of breakers measured side by side: half-open
comes by itself, one leased probe at a time, two successes mean two, and what began before a trip changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]
OnChange = Callable[[BreakerState, BreakerState, float | None], None]
"""Called with the old state, the new one and, for ``open``, the time at which a probe may go."""


class Refused(Exception):  # noqa: N818 - a refusal is an answer of the machine, the door makes an error of it
    """The breaker lets no attempt through before ``retry_at`` (seconds, in the caller's time base)."""

    def __init__(self, retry_at: float) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """Leave for one attempt; ``generation`` tells a result of before a change of state from one of after it."""

    generation: int


class Breaker:
    """Opens after ``failures`` failures in a row, for ``wait`` seconds; closes after ``successes`` good probes.

    A probe's leave expires after ``lease`` seconds, so that one that never reports cannot keep the breaker half-open for
    ever. ``on_change`` is called after a change, outside the lock.
    """

    def __init__(
        self,
        failures: int = 5,
        wait: float = 60.0,
        successes: int = 2,
        *,
        lease: float = 60.0,
        on_change: OnChange | None = None,
    ) -> None:
        self._limit = failures
        self._wait = wait
        self._needed = successes
        self._lease = lease
        self._on_change = on_change
        self._lock = threading.Lock()
        self._state: BreakerState = "closed"
        self._permit = Permit(0)
        self._failures = 0
        self._successes = 0
        self._retry_at = 0.0
        self._probe: Permit | None = None
        self._probe_until = 0.0

    def state(self, now: float) -> BreakerState:
        """Return the state at ``now``; an open breaker whose wait is over is half-open."""
        with self._lock:
            change = self._ripen(now)
            state = self._state
        self._tell(change)
        return state

    def retry_at(self, now: float) -> float | None:
        """Return when an open breaker lets a probe through, ``None`` if it is not open."""
        return self._retry_at if self.state(now) == "open" else None

    def acquire(self, now: float) -> Permit:
        """Return leave for one attempt; raises :class:`Refused`."""
        change = None
        try:
            with self._lock:
                change = self._ripen(now)
                return self._permit if self._state == "closed" else self._lease_probe(now)
        finally:
            self._tell(change)

    def stands(self, permit: Permit) -> bool:
        """Tell whether the state is still the one the permit was given in."""
        return permit.generation == self._permit.generation

    def success(self, permit: Permit, now: float) -> None:
        """Take note that the attempt was answered; a success of before a change of state is ignored."""
        with self._lock:
            change = self._count_success(permit, now) if self.stands(permit) else None
        self._tell(change)

    def failure(self, permit: Permit, now: float) -> None:
        """Take note that the attempt failed; a failure of before a change of state is ignored."""
        with self._lock:
            change = self._count_failure(permit, now) if self.stands(permit) else None
        self._tell(change)

    def release(self, permit: Permit) -> None:
        """Give the leave back without a verdict: cancelled, or an answer that says nothing about health."""
        with self._lock:
            if permit is self._probe:
                self._probe = None

    def _lease_probe(self, now: float) -> Permit:
        if self._state == "open":
            raise Refused(self._retry_at)
        if self._probe is not None and now < self._probe_until:
            raise Refused(self._probe_until)
        self._probe = Permit(self._permit.generation)
        self._probe_until = now + self._lease
        return self._probe

    def _count_success(self, permit: Permit, now: float) -> tuple[BreakerState, BreakerState] | None:
        if self._state == "closed":
            self._failures = 0
            return None
        if permit is not self._probe:
            return None
        self._probe = None
        self._successes += 1
        return self._move("closed", now) if self._successes >= self._needed else None

    def _count_failure(self, permit: Permit, now: float) -> tuple[BreakerState, BreakerState] | None:
        if self._state == "closed":
            self._failures += 1
            return self._move("open", now) if self._failures >= self._limit else None
        return self._move("open", now) if permit is self._probe else None

    def _ripen(self, now: float) -> tuple[BreakerState, BreakerState] | None:
        return self._move("half_open", now) if self._state == "open" and now >= self._retry_at else None

    def _move(self, new: BreakerState, now: float) -> tuple[BreakerState, BreakerState]:
        old, self._state = self._state, new
        self._permit = Permit(self._permit.generation + 1)
        self._failures = self._successes = 0
        self._probe = None
        if new == "open":
            self._retry_at = now + self._wait
        return old, new

    def _tell(self, change: tuple[BreakerState, BreakerState] | None) -> None:
        if change is not None and self._on_change is not None:
            self._on_change(*change, self._retry_at if change[1] == "open" else None)
