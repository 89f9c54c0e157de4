"""What became of the latest calls, by time or by number: what the breaker's second rule reads.

The first rule, failures in a row, does not see a service that fails four times of five, nor one that only grows slow.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

BUCKETS = 10
"""A window of time moves on by a tenth of its length, as Hystrix's does."""


class Window(Protocol):
    """Remembers the latest calls."""

    def add(self, now: float, *, failed: bool = False, slow: bool = False) -> None:
        """Take note of a call that ended at ``now``."""
        ...

    def totals(self, now: float) -> tuple[int, int, int]:
        """Return the numbers of calls, of those that failed, and of those that were slow."""
        ...


class TimeWindow:
    """The calls of the last ``seconds``, counted in :data:`BUCKETS` buckets."""

    def __init__(self, seconds: float) -> None:
        self._width = seconds / BUCKETS
        self._latest = -1
        self._count: list[int]
        self._buckets: deque[tuple[int, list[int]]] = deque(maxlen=BUCKETS)

    def add(self, now: float, *, failed: bool = False, slow: bool = False) -> None:
        """Take note of a call that ended at ``now``; one that is late by a bucket counts into the latest."""
        number = int(now / self._width)
        if number > self._latest:
            self._latest = number
            self._count = [0, 0, 0]
            self._buckets.append((number, self._count))
        count = self._count
        count[0] += 1
        if failed:
            count[1] += 1
        if slow:
            count[2] += 1

    def totals(self, now: float) -> tuple[int, int, int]:
        """Return the numbers of calls, failures and slow calls in the window that ends at ``now``."""
        oldest = int(now / self._width) - BUCKETS
        counts = [count for number, count in self._buckets if number > oldest]
        return sum(one[0] for one in counts), sum(one[1] for one in counts), sum(one[2] for one in counts)


class CountWindow:
    """The last ``calls`` calls, however long ago they were."""

    def __init__(self, calls: int) -> None:
        self._ends: deque[tuple[bool, bool]] = deque(maxlen=calls)

    def add(self, now: float, *, failed: bool = False, slow: bool = False) -> None:  # noqa: ARG002 - time does not matter here
        """Take note of a call."""
        self._ends.append((failed, slow))

    def totals(self, now: float) -> tuple[int, int, int]:  # noqa: ARG002
        """Return the numbers of calls, failures and slow calls."""
        return len(self._ends), sum(failed for failed, _ in self._ends), sum(slow for _, slow in self._ends)
