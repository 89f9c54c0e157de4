"""What a quota's figures mean, and what a provider's own headers say about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from cinegraph_core.resilience.retry import parse_retry_after

QuotaStatus = Literal["healthy", "warning", "critical"]
WARNING, CRITICAL = 0.80, 0.95
"""Shares of a quota: from the first it is ``warning``, above the second ``critical``."""
_EPOCH_FROM = 1_000_000_000.0
"""A reset this large is a moment since the epoch; a smaller one is a number of seconds. Both are in use."""


def quota_status(used: int, limit: int) -> QuotaStatus:
    """Return the status of a quota with ``used`` of ``limit`` gone; a limit of 0 is always ``critical``."""
    share = used / limit if limit > 0 else 1.0
    if share > CRITICAL:
        return "critical"
    return "warning" if share >= WARNING else "healthy"


def spent_until(headers: Mapping[str, str], now: float) -> float | None:
    """Return until when (seconds since the epoch) the provider says that nothing is left, ``None`` if it does not.

    Reads ``x-ratelimit-remaining`` with ``x-ratelimit-reset``, the IETF draft's names without ``x-``, and ``retry-after`` in
    place of a missing reset. Names are lower case.
    """
    remaining = _number(headers.get("x-ratelimit-remaining") or headers.get("ratelimit-remaining"))
    if remaining is None or remaining > 0:
        return None
    reset = _number(headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset"))
    if reset is None:
        reset = parse_retry_after(headers.get("retry-after"), now)
    if reset is None:
        return None
    until = reset if reset >= _EPOCH_FROM else now + reset
    return until if until > now else None


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
