"""Breakers in a known state; the time is a number."""

from __future__ import annotations

from typing import Any

from cinegraph_core.resilience.breaker import Breaker, BreakerRules, Permit, Refused
from tests.support.door import Longest

HIGHEST = Longest()


def tripped(**options: Any) -> Breaker:
    """Return a breaker that opened at 0 and lets a probe go at 60; waits are not jittered."""
    breaker = Breaker(BreakerRules(**options), rng=HIGHEST)
    fail(breaker, 5, now=0.0)
    return breaker


def recovering(now: float = 60.0, **options: Any) -> Breaker:
    """Return a breaker that has just had its two good probes."""
    breaker = tripped(**options)
    recover(breaker, now)
    assert breaker.state(now) == "ramp"
    return breaker


def recover(breaker: Breaker, now: float) -> None:
    """Give it its two good probes."""
    for _ in range(2):
        breaker.success(probe(breaker, now), now)


def climb(breaker: Breaker, now: float) -> float:
    """Ask one thing after the other, all answered, until the breaker is closed; return when that is."""
    while breaker.state(now) != "closed":
        permit = breaker.acquire(now)
        now = max(now, permit.at)
        breaker.success(permit, now)
    return now


def fail(breaker: Breaker, times: int, *, now: float) -> None:
    for _ in range(times):
        breaker.failure(breaker.acquire(now), now)


def probe(breaker: Breaker, now: float) -> Permit:
    return breaker.acquire(now)


def mixed(breaker: Breaker, pattern: str, *, now: float = 0.0, took: float = 0.0) -> int:
    """Let calls fail (F) and succeed (s) in this order; return how many were refused."""
    refused = 0
    for outcome in pattern:
        try:
            permit = breaker.acquire(now)
        except Refused:
            refused += 1
            continue
        if outcome == "F":
            breaker.failure(permit, now)
        else:
            breaker.success(permit, now, took)
    return refused


def relapses(breaker: Breaker, count: int, now: float = 60.0) -> list[float]:
    """Let this many probes fail; return how long each left it open."""
    waits = []
    for _ in range(count):
        breaker.failure(probe(breaker, now), now)
        until = breaker.retry_at(now)
        assert until is not None
        waits.append(until - now)
        now = until
    return waits
