"""How long to wait before an attempt is repeated: full jitter, or what the service asked for."""

from __future__ import annotations

import random
import re
from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_WAIT = 10.0
"""Seconds; a longer wait is never slept through, the caller gets the error with ``retry_after`` and comes back."""

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def backoff(attempt: int, rng: random.Random) -> float:
    """Return the seconds to wait after the ``attempt``-th failed attempt (from 1).

    Anything up to 1, 2, 4, 8, 10, 10 … seconds. It is the full jitter of Marc Brooker, "Exponential Backoff and
    Jitter" (AWS Architecture Blog, 2015).
    """
    return rng.uniform(0.0, min(MAX_WAIT, 2.0 ** min(attempt - 1, 8)))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds a ``Retry-After`` header asks for, ``None`` if there is none or it makes no sense.

    Understands seconds (decimals too, though RFC 9110 has none) and every HTTP date; a date in the past means 0.
    ``now`` is the wall clock in seconds since the epoch.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, aware.timestamp() - now)
