"""Calls a process may make without asking: leased in bundles from a shared count.

The count itself (quota, budget) lives where every process can reach it. What is leased here counts there as reserved, so
that no number of processes together can exceed a limit. Times are wall-clock seconds since the epoch, passed in. Taking and
settling hold no lock: a call is a token that one ``popleft`` takes from a deque, which the interpreter does in one step.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

_SHORT = 0.5
"""Seconds; a lease that is used up sooner was too small."""
_PLENTY = 2
"""So many times what was taken since the last report is kept for the next calls; what lies free beyond that is idle."""


class Exhausted(Exception):  # noqa: N818 - a refusal is an answer of the machine, the door makes an error of it
    """A limit leaves no room for another call before ``retry_at``; ``limit`` names it (``daily_quota``, …)."""

    def __init__(self, limit: str, retry_at: float) -> None:
        super().__init__(limit, retry_at)
        self.limit = limit
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Limit:
    """A ceiling for one window: ``owner``'s ``counter`` (``daily_quota``, …), of which each call takes ``units``.

    ``at_most`` tells that a call may turn out to take less than that.
    """

    owner: str
    counter: str
    ceiling: int
    units: int
    start: float
    end: float
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A limit that has just reached ``percent`` of use."""

    owner: str
    counter: str
    percent: int
    used: int
    ceiling: int


@dataclass(frozen=True, slots=True)
class Granted:
    """So many calls, under the lease of this key; ``marks`` were reached because expired leases were counted as used."""

    key: str
    calls: int
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A limit leaves no room before ``until`` (epoch seconds); ``marks`` as of :class:`Granted`."""

    counter: str
    until: float
    marks: tuple[Mark, ...] = ()


class Lease:
    """A bundle of calls that may begin before ``until``; ``calls`` of them are neither used nor given back yet."""

    __slots__ = ("calls", "free", "key", "until", "used")

    def __init__(self, key: str, until: float, calls: int) -> None:
        self.key = key
        self.until = until
        self.calls = calls
        self.used: list[int] = []
        """An entry for each call that was made and is not reported yet: by how much it cost more than was reserved for it."""
        self.free: deque[Lease] = deque()
        """Where the allowance it was granted to keeps the calls that nobody has taken."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a lease since the last report: so many calls were ``used``, so many places are given ``back``.

    ``more`` is what those used cost beyond what was reserved for them, in micro-dollars (below 0: less).
    """

    lease: Lease
    used: int
    back: int
    more: int = 0


class Allowance:
    """Takes from the leases, the oldest first; ``largest`` bounds how many calls are asked for ahead.

    A token is a reference to the lease its call counts on.
    """

    def __init__(self, *, largest: int = 16384) -> None:
        self._largest = largest
        self._lock = threading.Lock()
        self._free: deque[Lease] = deque()
        self._unwanted: deque[Lease] = deque()
        self._open: list[Lease] = []
        self._refusal: Exhausted | None = None
        self._refused_at = 0.0
        self._ask_again = 0.0
        self._granted_at = float("-inf")
        self._ahead = 1
        self._stock = 0
        """How many calls were free at the last regular report."""
        self._is_fresh = False
        """Whether a lease was granted since then."""

    def take(self, now: float) -> Lease | None:
        """Return the lease a call begins on, or ``None`` if one must be fetched first; raises :class:`Exhausted`."""
        try:
            while now >= (lease := self._free.popleft()).until:
                self._unwanted.append(lease)
        except IndexError:
            self._check_refusal(now)
            return None
        return lease

    def _check_refusal(self, now: float) -> None:
        with self._lock:
            refusal = self._refusal
            # After a clock is set back, a refusal lies in the future and says nothing about now.
            if refusal is not None and self._refused_at <= now < min(refusal.retry_at, self._ask_again):
                raise Exhausted(refusal.limit, refusal.retry_at) from None

    @staticmethod
    def used(lease: Lease, more: int = 0) -> None:
        """Take note that the call's request left, so that it counts whatever came of it.

        ``more`` is what it cost beyond what was reserved for it, in micro-dollars (below 0: less).
        """
        lease.used.append(more)

    @staticmethod
    def unused(lease: Lease) -> None:
        """Take note that the call's request never left; its place is free again, in the allowance it was taken from."""
        lease.free.appendleft(lease)

    # ------------------------------------------------------------------------- for whoever speaks with the shared count

    def ahead(self) -> int:
        """Return how many calls to ask for beyond those that wait: more where a lease lasts less than half a second."""
        return self._ahead

    def holdings(self) -> tuple[int, int]:
        """Return how many calls are free to be taken, and how many are under way: begun, and not reported yet."""
        with self._lock:
            free = len(self._free)
            return free, sum(lease.calls for lease in self._open) - free - len(self._unwanted)

    def grant(self, lease: Lease, now: float) -> None:
        """Add a lease to what may be taken; it counts as idle only after one report interval without a call."""
        with self._lock:
            if not self._free and now - self._granted_at < _SHORT:
                self._ahead = min(2 * self._ahead, self._largest)
            lease.free = self._free
            self._open.append(lease)
            self._free.extend([lease] * lease.calls)
            self._refusal, self._granted_at, self._is_fresh = None, now, True

    def refuse(self, limit: str, retry_at: float, *, now: float, ask_again: float) -> None:
        """Refuse calls from ``now`` to ``ask_again``; then the count is asked again, as others may have given calls back."""
        with self._lock:
            self._refusal, self._refused_at, self._ask_again = Exhausted(limit, retry_at), now, ask_again

    def refused_until(self, now: float) -> float | None:
        """Return until when calls are refused, ``None`` if they are not."""
        refusal = self._refusal
        return refusal.retry_at if refusal is not None and self._refused_at <= now < refusal.retry_at else None

    def reconsider(self) -> None:
        """Begin anew, because a limit was changed: forget a refusal, give back what is leased."""
        with self._lock:
            self._unwanted.extend(_drained(self._free))
            self._refusal = None

    def report(self, *, ending: bool = False, at_once: bool = False) -> list[Report]:
        """Return what became of the leases since the last report; what lies idle since then is given back.

        ``ending`` gives back all that is free, a report ``at_once`` (between two regular ones) nothing. A report that cannot
        be delivered comes back by :meth:`undelivered`.
        """
        with self._lock:
            if ending:
                self._unwanted.extend(_drained(self._free))
            elif not at_once:
                self._let_idle_go()
            back = Counter(_drained(self._unwanted))
            reports = [_report_of(lease, back[lease]) for lease in self._open]
            self._open = [lease for lease in self._open if lease.calls]
        return [one for one in reports if one.used or one.back]

    def _let_idle_go(self) -> None:
        """Give back what few calls leave idle, and ask for less from now on; not what was granted since the last report."""
        taken = max(0, self._stock - len(self._free))
        idle = len(self._free) - _PLENTY * taken
        if idle >= 0 and not self._is_fresh:
            self._unwanted.extend(islice(_drained(self._free), idle))
            self._ahead = max(1, min(self._ahead, taken))
        self._stock, self._is_fresh = len(self._free), False

    def undelivered(self, report: Report) -> None:
        """Take a report back, so that the next one says it again."""
        lease = report.lease
        with self._lock:
            lease.calls += report.used + report.back
            lease.used.extend([0] * report.used)
            if report.more:
                lease.used[-1] += report.more
            self._unwanted.extend([lease] * report.back)
            if lease not in self._open:
                self._open.append(lease)


def _drained(tokens: deque[Lease]) -> Iterator[Lease]:
    """Yield the tokens one by one; others may take some meanwhile."""
    with suppress(IndexError):
        while True:
            yield tokens.popleft()


def _report_of(lease: Lease, back: int) -> Report:
    used = len(lease.used)
    more = sum(lease.used[:used])
    del lease.used[:used]
    lease.calls -= used + back
    return Report(lease, used, back, more)
