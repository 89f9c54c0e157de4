"""The way back to full load after an outage: 5, 25, 50 per cent of those who ask, each share to be earned.

A service that has just recovered is not met by everybody at once (resilience4j#985 asks for it, Envoy's "slow start" does
it for load balancers). Where few ask, a share of them would be nobody; so one place every :data:`GAP` seconds is given
out beside the share, and a caller may wait a little for it: someone who asks for one thing after the other loses nothing.
"""

from __future__ import annotations

from typing import Literal

SHARES = (5, 25, 50)
"""Per cent of those who ask, step by step; after the last one everybody goes."""
_PLACE = 100
GATE = 5
"""Results that decide about a step."""
TOLERATED = 1
"""Failures among them that a step survives; one more, and the service is taken for sick."""
GAP = 0.5
"""Seconds between two places that are given out whatever the share: two a second are fewer than 5 % of 50 a second."""
PATIENCE = 2.0
"""Seconds that a caller may be told to wait for such a place."""


class Ramp:
    """Gives out places and counts results; ``now`` in seconds, as everywhere."""

    def __init__(self) -> None:
        self._step = 0
        self._credit = 0
        self._next = float("-inf")
        self._successes = 0
        self._failures = 0

    @property
    def next_place(self) -> float:
        """Return when the next place beside the share is free."""
        return self._next

    def place(self, now: float) -> float | None:
        """Return when the asker may go (``now`` or a little later), ``None`` if there is no place.

        A place outside the share is charged to it in advance, so the share holds over the whole ramp.
        """
        self._credit += SHARES[self._step]
        at = now if self._credit >= _PLACE else max(now, self._next)
        if at - now > PATIENCE:
            return None
        self._credit -= _PLACE
        self._next = max(self._next, at + GAP)
        return at

    def count(self, *, success: bool) -> Literal["closed", "open"] | None:
        """Take note of a result; returns ``open`` if the service is sick, ``closed`` once it has passed the last gate."""
        if success:
            self._successes += 1
        else:
            self._failures += 1
        if self._failures > TOLERATED:
            return "open"
        if self._successes + self._failures < GATE:
            return None
        self._step += 1
        self._successes = self._failures = 0
        return "closed" if self._step == len(SHARES) else None
