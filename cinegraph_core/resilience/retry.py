"""Whether an attempt may be repeated, and how long to wait before: full jitter, or what the service asked for."""

from __future__ import annotations

import random
import re
import threading
from datetime import UTC
from math import inf

MAX_WAIT = 10.0
"""Seconds; a longer wait is never slept through, the caller gets the error with ``retry_after`` and comes back."""
LONGEST_HOLD = 86_400.0
"""Seconds; whatever a service asks for, after a day it is asked again: most quotas begin anew by then."""
SLOWED_FOR = 60.0
"""Seconds after a slowdown within which another word to slow down makes the next one longer; many count by the minute."""
CALLS_PER_RETRY = 10
"""Calls that earn a retry: a tenth, as in Google's SRE book ("Handling Overload") and gRPC's retry throttling."""
RETRY_RESERVE = 20.0
"""Retries a service that is seldom called may make at once."""
RETRY_REFILL = 0.25
"""Retries a second by which the reserve fills up again: 15 a minute are no storm."""
CALLS_SAVED = 1000
"""Calls whose retries can be saved up."""

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def backoff(attempt: int, rng: random.Random) -> float:
    """Return the seconds to wait after the ``attempt``-th failed attempt (from 1).

    Anything up to 1, 2, 4, 8, 10, 10 … seconds. It is the full jitter of Marc Brooker, "Exponential Backoff and
    Jitter" (AWS Architecture Blog, 2015).
    """
    return rng.uniform(0.0, _most(attempt))


def _most(times: int) -> float:
    return min(MAX_WAIT, 2.0 ** min(times - 1, 8))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds a ``Retry-After`` header asks for, ``None`` if there is none or it makes no sense.

    Understands seconds (decimals too, though RFC 9110 has none) and every HTTP date; a date in the past means 0, and more than
    :data:`LONGEST_HOLD` just that. ``now`` is the wall clock in seconds since the epoch.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_HOLD)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - dear to import, and a date is seldom sent

    try:
        date = parsedate_to_datetime(text)
        moment = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, moment - now), LONGEST_HOLD)


class Slowdown:
    """How long all calls to a service are held back that says to slow down (429) and not for how long.

    1, 2, 4, 8, 10, 10 … seconds, the bounds of :func:`backoff`: a second is the least that helps where requests are counted by
    the second, as TMDb does ("somewhere in the 40 requests per second range", Rate Limiting, developer.themoviedb.org). It
    begins with 1 again once a request was answered well, or nothing of the kind was said for :data:`SLOWED_FOR`. Times are
    monotonic seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.times = 0
        """How often in a row it was told."""
        self._began_at = self._ends_at = -inf

    def told(self, asked_at: float, now: float) -> float:
        """Take note of the word, said to a request that left at ``asked_at``; return until when nothing may be sent.

        Requests that left before a slowdown began do not make it longer, however many are told to slow down.
        """
        with self._lock:
            if asked_at > self._began_at:
                self.times = self.times + 1 if now - self._ends_at <= SLOWED_FOR else 1
                self._began_at, self._ends_at = now, now + _most(self.times)
            return self._ends_at

    def answered(self, asked_at: float) -> None:
        """Take note that a request that left at ``asked_at`` was answered well."""
        with self._lock:
            if asked_at > self._began_at:
                self.times = 0


class RetryBudget:
    """Bounds the retries of one service, so that an outage is not met with a multiple of the load.

    Every :data:`CALLS_PER_RETRY` calls earn one; beside these there is a reserve, without which one call a minute could never
    be repeated. ``now`` is in monotonic seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._reserve = RETRY_RESERVE
        self._filled_at = 0.0

    def earn(self) -> None:
        """Take note of a call; without the lock, because a call lost between two threads harms nobody."""
        if self._calls < CALLS_SAVED:
            self._calls += 1

    def spend(self, now: float) -> bool:
        """Take one retry, of the earned ones first; returns ``False`` if there is none."""
        with self._lock:
            self._reserve = min(RETRY_RESERVE, self._reserve + (now - self._filled_at) * RETRY_REFILL)
            self._filled_at = now
            if self._calls >= CALLS_PER_RETRY:
                self._calls -= CALLS_PER_RETRY
            elif self._reserve >= 1.0:
                self._reserve -= 1.0
            else:
                return False
        return True
