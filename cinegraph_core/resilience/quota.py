"""What a quota's figures mean, and what a provider's own headers say about it."""

from __future__ import annotations

import math
import re
import threading
from collections import deque
from collections.abc import Mapping
from typing import Literal, NamedTuple

from cinegraph_core.resilience.retry import parse_retry_after

QuotaStatus = Literal["healthy", "warning", "critical"]
WARNING, CRITICAL = 0.80, 0.95
"""Shares of a quota: from the first it is ``warning``, above the second ``critical``."""
LONGEST_WINDOW = 32 * 86_400.0
"""Seconds; no provider counts over more than a month, so a reset that lies further ahead is taken as this."""
_EPOCH_FROM = 1_000_000_000.0
"""A reset this large is a moment since the epoch; a smaller one is a number of seconds. Both are in use."""
_MILLISECONDS_FROM = 100_000_000_000.0
"""A moment this large is in milliseconds; in seconds it would be the year 5138."""
_NAMES = (
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
)
"""The custom of many, the IETF draft's, OpenAI's."""
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SAME_WINDOW = 5.0
"""Seconds by which the ends of one window may differ: resets are rounded, and answers take their time."""


def quota_status(used: int, limit: int) -> QuotaStatus:
    """Return the status of a quota with ``used`` of ``limit`` gone; a limit of 0 is always ``critical``."""
    share = used / limit if limit > 0 else 1.0
    if share > CRITICAL:
        return "critical"
    return "warning" if share >= WARNING else "healthy"


class Left(NamedTuple):
    """How many ``calls`` a provider says are left before ``until`` (seconds since the epoch)."""

    calls: int
    until: float


def calls_left(headers: Mapping[str, str], now: float) -> Left | None:
    """Return what the provider says is left of its own quota, ``None`` if it does not say, or not until when.

    Reads ``x-ratelimit-remaining`` with ``x-ratelimit-reset``, the IETF draft's names without ``x-``, OpenAI's with
    ``-requests``, and ``retry-after`` in place of a missing reset. A reset is in seconds, a moment since the epoch in seconds
    or milliseconds, or a duration such as ``6m0s`` or ``20ms``. Names are lower case.
    """
    for name, reset_name in _NAMES:
        if name in headers:
            return _left(headers[name], headers.get(reset_name), headers.get("retry-after"), now)
    return None


class ProvidersWord:
    """What a provider said of its own quota, and how many calls that leaves; times in seconds since the epoch.

    Every call takes its place in ``under_way`` and leaves it, told or not: before ``until`` by :meth:`take`, at other times by
    the deque alone, which needs no lock. Answers overtake each other, so the least that was said in a window is the latest, and
    each call under way may be missing in it: what is left is that less these.
    """

    def __init__(self) -> None:
        self.until = 0.0
        self.under_way: deque[None] = deque()
        self._lock = threading.Lock()
        self._spent_until = 0.0
        self._least = 0
        self._window_end = 0.0

    def refused_until(self, now: float) -> float:
        """Return until when calls are refused; 0 if they are not."""
        if now < self._spent_until:
            return self._spent_until
        return self._window_end if self._least <= len(self.under_way) and now < self._window_end else 0.0

    def take(self, now: float) -> float:
        """Let a call begin; returns 0, or until when none may."""
        with self._lock:
            until = self.refused_until(now)
            if not until:
                self.under_way.append(None)
            return until

    def left(self, left: Left, asked_at: float, now: float) -> None:
        """Believe that so much is left, as was said to a call under way that was asked for at ``asked_at``."""
        with self._lock:
            # A reset in seconds was told at some time between the two moments.
            later, earlier = left.until - (now - asked_at) - self._window_end, self._window_end - left.until
            if now >= self._window_end or later > _SAME_WINDOW:
                self._least, self._window_end = left.calls + 1, left.until
                self.until = max(self._spent_until, left.until)
                return
            if earlier <= _SAME_WINDOW:
                self._least = min(self._least, left.calls)
            # The call itself was told, and is under way until it is settled.
            self._least += 1

    def used(self) -> None:
        """Take note that a call which is no longer under way was one of those that were left."""
        with self._lock:
            self._least -= 1

    def spent(self, until: float) -> bool:
        """Believe that nothing is left before ``until``; returns whether that is news."""
        with self._lock:
            longer = until > self._spent_until
            if longer:
                self._spent_until = until
                self.until = max(until, self._window_end)
            return longer

    def forget(self) -> None:
        """Believe nothing of it any longer."""
        with self._lock:
            self._spent_until = self._window_end = self.until = 0.0


def _left(said: str, reset: str | None, retry_after: str | None, now: float) -> Left | None:
    calls, until = _number(said), _until(reset, now)
    if until is None and (wait := parse_retry_after(retry_after, now)) is not None:
        until = now + wait
    if calls is None or until is None or until <= now:
        return None
    return Left(max(0, int(calls)), until)


def _until(reset: str | None, now: float) -> float | None:
    number = _number(reset)
    if number is None:
        return None
    if number >= _MILLISECONDS_FROM:
        number /= 1000
    return min(number if number >= _EPOCH_FROM else now + number, now + LONGEST_WINDOW)


def _number(text: str | None) -> float | None:
    """Return a number, or the seconds of a duration; ``None`` for anything else."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        if not _DURATION.fullmatch(text):
            return None
        number = sum(float(figure) * _UNITS[unit] for figure, unit in _PART.findall(text))
    return number if math.isfinite(number) else None
