"""Patterns of traffic that do harm, to the service or to our standing with it; each needs a least number of calls. Pure.

A finding is about the last five minutes and tells since when it has been so without a break.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

from cinegraph_core.resilience.traffic import SLOT, History, Traffic

Kind = Literal["rate_exceeded", "error_rate", "slow", "spike"]
SHARE = 0.5
"""Share of calls that failed, or took 5 seconds or longer, above which it is a pattern."""
MINIMUM_CALLS = 20
"""Fewest calls at which such a share counts; Hystrix's volume, and that of the breaker's window."""
MINIMUM_LIMITED = 5
"""How often we must be told to slow down before that counts; fewer times happen to anybody, and are waited for."""
SPIKE = 3.0
"""Times the median of the slots of the last day in which the service was asked at all: a batch that runs every night for an
hour is the service's own usual rate, and the quiet hours between do not make it a spike."""
MINIMUM_REQUESTS = 100
"""Fewest requests in five minutes that can be a spike; chance alone does not treble a rate that high."""
MINIMUM_SLOTS = 12
"""Fewest slots with use (an hour) from which a usual rate can be told."""
_WITHIN = f"in the last {SLOT // 60} minutes"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern found: its figures, since when it lasts (epoch seconds), and all that in plain words."""

    service: str
    kind: Kind
    message: str
    since: float
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    holds: Callable[[Traffic, float], bool]
    words: Callable[[Traffic, float], str]
    figures: Callable[[Traffic, float], Mapping[str, float]]


def patterns(service: str, history: History) -> list[Pattern]:
    """Return the patterns that a service's traffic shows now; none for quiet or steady traffic."""
    now, usual = history.get(0), usual_requests(history)
    if now is None:
        return []
    return [
        Pattern(service, rule.kind, rule.words(now, usual), _since(history, rule, usual), rule.figures(now, usual))
        for rule in _RULES
        if rule.holds(now, usual)
    ]


def usual_requests(history: History) -> float:
    """Return how many requests a slot of use has on average (median); infinite where there is no hour of use to tell by."""
    counts = [traffic.requests for slot, traffic in history.items() if slot > 0 and traffic.requests]
    return median(counts) if len(counts) >= MINIMUM_SLOTS else float("inf")


def _since(history: History, rule: _Rule, usual: float) -> float:
    slot = 0
    while (before := history.get(slot + 1)) is not None and rule.holds(before, usual):
        slot += 1
    return history[slot].first


def _fails(traffic: Traffic, _usual: float) -> bool:
    return traffic.calls >= MINIMUM_CALLS and traffic.failed > SHARE * traffic.calls


def _is_slow(traffic: Traffic, _usual: float) -> bool:
    return traffic.calls >= MINIMUM_CALLS and traffic.over_5s > SHARE * traffic.calls


def _spikes(traffic: Traffic, usual: float) -> bool:
    return traffic.requests >= MINIMUM_REQUESTS and traffic.requests > SPIKE * usual


_RULES = (
    _Rule(
        "rate_exceeded",
        lambda traffic, _: traffic.limited >= MINIMUM_LIMITED,
        lambda traffic, _: f"told to slow down {traffic.limited} times {_WITHIN}, by the service or by our own limits",
        lambda traffic, _: {"limited": traffic.limited, "requests": traffic.requests},
    ),
    _Rule(
        "error_rate",
        _fails,
        lambda traffic, _: f"{traffic.failed} of {traffic.calls} calls {_WITHIN} failed{traffic.mostly}",
        lambda traffic, _: {"failed": traffic.failed, "calls": traffic.calls},
    ),
    _Rule(
        "slow",
        _is_slow,
        lambda traffic, _: f"{traffic.over_5s} of {traffic.calls} calls {_WITHIN} took 5 s or longer",
        lambda traffic, _: {"slow": traffic.over_5s, "calls": traffic.calls},
    ),
    _Rule(
        "spike",
        _spikes,
        lambda traffic, usual: f"{traffic.requests} requests {_WITHIN}, {traffic.requests / usual:.0f} times as many as usual",
        lambda traffic, usual: {"requests": traffic.requests, "usual": usual},
    ),
)
