"""A rate limit that spaces requests evenly, so that no second ever holds more than its share."""

from __future__ import annotations

import threading


class RateLimit:
    """Hands out start times ``1 / per_second`` apart; ``per_second`` 0 sets no limit."""

    def __init__(self, per_second: float = 0.0) -> None:
        self.gap = 1.0 / per_second if per_second > 0 else 0.0
        """Seconds between two turns."""
        self._next = float("-inf")
        self._lock = threading.Lock()

    def waiting(self, now: float, ahead: int = 0) -> float:
        """Return the seconds a request would have to wait behind ``ahead`` others without a place yet; takes none."""
        return (self._next - now if self._next > now else 0.0) + ahead * self.gap

    def reserve(self, now: float) -> float:
        """Take the next place and return the seconds until it comes: more than :meth:`waiting` told if others were quicker."""
        if not self.gap:
            return 0.0
        with self._lock:
            start = self._next if self._next > now else now
            self._next = start + self.gap
        return start - now
