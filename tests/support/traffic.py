"""Figures of traffic, as the record gives them."""

from __future__ import annotations

from typing import Any

from cinegraph_core.resilience.traffic import Tally, Traffic


def tally(outcome: str | None = None, *, ended: int = 1, **figures: Any) -> Tally:
    """Return calls that ended alike, each with one request of 100 ms."""
    defaults: dict[str, Any] = {
        "service": "films",
        "slot": 0,
        "asked": ended,
        "requests": ended,
        "limited": 0,
        "total_ms": 100.0 * ended,
        "over_1s": 0,
        "over_3s": 0,
        "over_5s": 0,
        "first": 0.0,
    }
    return Tally(outcome=outcome, ended=ended, **(defaults | figures))


def traffic(
    answered: int = 0, *, over_1s: int = 0, over_3s: int = 0, ms: float = 100.0, slot: int = 0, first: float = 0.0, **errors: int
) -> Traffic:
    """Return traffic of some answers, so many of them slow, and of so many errors of each type."""
    seen = Traffic()
    if answered:
        times: dict[str, Any] = {"over_1s": over_1s, "over_3s": over_3s, "total_ms": ms * answered}
        seen.add(tally(ended=answered, slot=slot, first=first, **times))
    for kind, count in errors.items():
        seen.add(tally(kind, ended=count, slot=slot, first=first))
    return seen
