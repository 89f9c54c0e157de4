"""The calls a process may make on its own word: leased from a shared count in bundles, used without asking anybody.

The count itself (quota, budget) lives where every process can reach it. What is leased here counts there as reserved, so
that no number of processes together can exceed a limit. Times are wall-clock seconds since the epoch, passed in. Taking and
settling hold no lock: a call is a token that one ``pop`` takes from a list, which the interpreter does in one step.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass

_SHORT = 0.5
"""Seconds; a lease that is used up sooner was too small."""


class Exhausted(Exception):  # noqa: N818 - a refusal is an answer of the machine, the door makes an error of it
    """A limit leaves no room for another call before ``retry_at``; ``limit`` names it (``daily_quota``, …)."""

    def __init__(self, limit: str, retry_at: float) -> None:
        super().__init__(limit, retry_at)
        self.limit = limit
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Limit:
    """A ceiling for one window: ``owner``'s ``counter`` (``daily_quota``, …), of which each call takes ``units``."""

    owner: str
    counter: str
    ceiling: int
    units: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Granted:
    """So many calls, under the lease of this key."""

    key: str
    calls: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A limit leaves no room before ``until`` (epoch seconds)."""

    counter: str
    until: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A limit of which ``percent`` are used now and were not before."""

    owner: str
    counter: str
    percent: int
    used: int
    ceiling: int


class Lease:
    """A bundle of calls that may begin before ``until``: tokens that are ``free``, and those of calls that were ``used``."""

    __slots__ = ("calls", "free", "key", "until", "used")

    def __init__(self, key: str, until: float, calls: int) -> None:
        self.key = key
        self.until = until
        self.calls = calls
        self.free: list[None] = [None] * calls
        self.used: list[None] = []


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a lease since the last report: so many calls were ``used``, so many places are given ``back``."""

    lease: Lease
    used: int
    back: int


class Allowance:
    """Takes from the current lease; says how many calls wait for a new one. ``largest`` bounds how many are asked for ahead."""

    def __init__(self, *, largest: int = 16384) -> None:
        self._largest = largest
        self._lock = threading.Lock()
        self._current: Lease | None = None
        self._past: list[Lease] = []
        self._refusal: Exhausted | None = None
        self._ask_again = 0.0
        self._granted_at = float("-inf")
        self._ahead = 1
        self._taken = False

    def take(self, now: float) -> Lease | None:
        """Return the lease a call begins on, or ``None`` if one must be fetched first; raises :class:`Exhausted`."""
        lease = self._current
        if lease is not None and now < lease.until:
            try:
                lease.free.pop()
            except IndexError:
                pass
            else:
                self._taken = True
                return lease
        with self._lock:
            refusal = self._refusal
            if refusal is not None and now < min(refusal.retry_at, self._ask_again):
                raise Exhausted(refusal.limit, refusal.retry_at)
            return None

    @staticmethod
    def used(lease: Lease) -> None:
        """Take note that the call's request left, so that it counts whatever came of it."""
        lease.used.append(None)

    @staticmethod
    def unused(lease: Lease) -> None:
        """Take note that the call's request never left; its place is free again."""
        lease.free.append(None)

    # ------------------------------------------------------------------------- for whoever speaks with the shared count

    def ahead(self) -> int:
        """Return how many calls to ask for beyond those that wait: more where a lease lasts less than half a second."""
        return self._ahead

    def grant(self, lease: Lease, now: float) -> None:
        """Go on with a new lease; what is left of the old one is given back with the next report."""
        with self._lock:
            if self._current is not None:
                self._past.append(self._current)
                if now - self._granted_at < _SHORT:
                    self._ahead = min(2 * self._ahead, self._largest)
            self._current, self._refusal, self._granted_at = lease, None, now

    def refuse(self, limit: str, retry_at: float, *, ask_again: float) -> None:
        """Refuse what is asked for before ``ask_again``; a place that somebody gave back is found then."""
        with self._lock:
            self._refusal, self._ask_again = Exhausted(limit, retry_at), ask_again

    def refused_until(self, now: float) -> float | None:
        """Return until when calls are refused, ``None`` if they are not."""
        refusal = self._refusal
        return refusal.retry_at if refusal is not None and now < refusal.retry_at else None

    def reconsider(self) -> None:
        """Begin anew, because a limit was changed: forget a refusal, give back what is leased."""
        with self._lock:
            if self._current is not None:
                self._past.append(self._current)
            self._current = self._refusal = None

    def report(self, now: float, *, ending: bool = False) -> list[Report]:
        """Return what became of the leases since the last report; one that was not taken from since then is given back.

        ``ending`` gives back all that is left. A report that cannot be delivered comes back by :meth:`undelivered`.
        """
        with self._lock:
            lease, idle = self._current, ending or not self._taken
            self._taken = False
            if lease is not None and (idle or now >= lease.until):
                self._past.append(lease)
                self._current, self._ahead = None, 1
            reports = [_report_of(one, give_back=True) for one in self._past]
            if self._current is not None:
                reports.append(_report_of(self._current, give_back=False))
            self._past = [one for one in self._past if one.calls]
        return [one for one in reports if one.used or one.back]

    def undelivered(self, report: Report) -> None:
        """Take a report back, so that the next one says it again."""
        lease = report.lease
        with self._lock:
            lease.calls += report.used + report.back
            lease.used.extend([None] * report.used)
            lease.free.extend([None] * report.back)
            if lease is not self._current and lease not in self._past:
                self._past.append(lease)


def _report_of(lease: Lease, *, give_back: bool) -> Report:
    used, back = len(lease.used), 0
    del lease.used[:used]
    while give_back and lease.free:
        # Somebody may take the last one just now.
        with suppress(IndexError):
            lease.free.pop()
            back += 1
    lease.calls -= used + back
    return Report(lease, used, back)
