"""Patterns of harm in traffic: each is found from its least number of calls on, and never in quiet or steady traffic."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinegraph_core.resilience.abuse import Pattern, patterns, usual_requests
from cinegraph_core.resilience.traffic import SLOT, SLOTS, Tally, Traffic, histories
from tests.support.traffic import tally

NOW = 1_700_000_000.0


def found(*tallies: Tally) -> list[Pattern]:
    return patterns("films", histories(tallies).get("films", {}))


def kinds(*tallies: Tally) -> list[str]:
    return [one.kind for one in found(*tallies)]


def steady(requests: int, slots: int = SLOTS, **figures: Any) -> list[Tally]:
    """As many requests in each slot before the current one."""
    return [tally(slot=slot, ended=requests, first=NOW - (slot + 1) * SLOT, **figures) for slot in range(1, slots + 1)]


@pytest.mark.parametrize(
    ("tallies", "expected"),
    [
        ([tally(ended=50, limited=4)], []),
        ([tally(ended=50, limited=5)], ["rate_exceeded"]),
        ([tally("rate_limit", ended=3, asked=0, limited=3), tally("quota_exceeded", ended=2, asked=0)], ["rate_exceeded"]),
        ([tally("timeout", ended=19)], []),
        ([tally("timeout", ended=20)], ["error_rate"]),
        ([tally(ended=10), tally("timeout", ended=10)], []),
        ([tally(ended=10), tally("timeout", ended=6), tally("server_error", ended=5)], ["error_rate"]),
        ([tally(ended=49), tally("timeout", ended=51)], ["error_rate"]),
        ([tally(ended=10), tally("client_error", ended=90), tally("circuit_open", ended=90, asked=0)], []),
        ([tally(ended=20, over_5s=10)], []),
        ([tally(ended=20, over_5s=11)], ["slow"]),
        ([tally(ended=19, over_5s=19)], []),
        ([tally("timeout", ended=20, over_5s=20)], ["error_rate", "slow"]),
        ([*steady(40), tally(ended=120)], []),
        ([*steady(40), tally(ended=121)], ["spike"]),
        ([*steady(1), tally(ended=99)], []),
        ([*steady(1), tally(ended=100)], ["spike"]),
        ([*steady(1, slots=11), tally(ended=9999)], []),
        ([*steady(1, slots=12), tally(ended=9999)], ["spike"]),
        ([*steady(40), tally(ended=50, requests=150)], ["spike"]),
    ],
)
def test_a_pattern_needs_its_share_and_its_number_of_calls(tallies: list[Tally], expected: list[str]) -> None:
    assert kinds(*tallies) == expected


def test_a_pattern_says_what_since_when_and_by_which_figures() -> None:
    failing = [tally("timeout", slot=slot, ended=30, first=NOW - (slot + 1) * SLOT) for slot in (0, 1, 2, 4)]
    later = [tally(slot=slot, ended=10, first=NOW - slot * SLOT - 1) for slot in (0, 1, 2)]
    (one,) = found(*failing, tally(slot=3, ended=30, first=NOW - 4 * SLOT), *later)
    assert (one.service, one.kind, one.figures) == ("films", "error_rate", {"failed": 30, "calls": 40})
    assert one.message == "30 of 40 calls in the last 5 minutes failed, mostly timeout"
    assert one.since == NOW - 3 * SLOT, "since the oldest slot of those that show it without a break"


def test_a_spike_is_told_against_the_services_own_usual_rate() -> None:
    (one,) = found(*steady(40), tally(ended=400, first=NOW - 10))
    assert one.message == "400 requests in the last 5 minutes, 10 times as many as usual"
    assert (one.figures, one.since) == ({"requests": 400, "usual": 40}, NOW - 10)


def test_a_nightly_batch_is_its_own_usual_rate_and_quiet_hours_do_not_make_it_a_spike() -> None:
    last_night = steady(12_000, slots=20)
    assert kinds(*last_night, tally(ended=12_500)) == []


def test_a_long_spike_does_not_hide_itself_before_it_is_most_of_the_day() -> None:
    running = [tally(slot=slot, ended=500) for slot in range(100)]
    rest = [tally(slot=slot, ended=20) for slot in range(100, SLOTS)]
    assert kinds(*running, *rest) == ["spike"]


def test_no_traffic_shows_no_pattern() -> None:
    assert found() == []
    assert found(*steady(5000)) == [], "what is over is over"
    assert usual_requests({0: Traffic(requests=5)}) == float("inf")


@given(rate=st.integers(1, 5000), seed=st.integers(0, 2**32), slots=st.integers(0, SLOTS), pauses=st.floats(0, 0.95))
def test_steady_traffic_with_all_its_chance_and_pauses_shows_no_pattern(rate: int, seed: int, slots: int, pauses: float) -> None:
    rng = random.Random(seed)
    counts = [max(0, round(rng.gauss(rate, rate**0.5))) for slot in range(slots + 1) if slot == 0 or rng.random() >= pauses]
    assert kinds(*(tally(slot=slot, ended=count) for slot, count in enumerate(counts) if count)) == []


@given(
    well=st.integers(0, 500),
    failed=st.integers(0, 19),
    limited=st.integers(0, 4),
    slow=st.integers(0, 19),
)
def test_a_few_failures_slow_answers_and_refusals_are_no_pattern(well: int, failed: int, limited: int, slow: int) -> None:
    answered = tally(ended=well + 20, limited=limited, over_5s=slow // 2)
    assert kinds(answered, *([tally("timeout", ended=failed)] if failed else [])) == []
