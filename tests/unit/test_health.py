"""What a service's figures say of its health: a status, and why in plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinegraph_core.errors import ERROR_TYPES
from cinegraph_core.resilience.health import MINIMUM, Health, Look, judge, judge_look
from cinegraph_core.resilience.traffic import ANSWERED, REFUSED, SAYS_NOTHING, Traffic
from tests.support.traffic import tally, traffic


@pytest.mark.parametrize(
    ("seen", "status", "reason"),
    [
        (traffic(20), "healthy", "20 of 20 calls in the last 5 minutes answered"),
        (traffic(18, timeout=2), "healthy", "18 of 20 calls in the last 5 minutes answered"),
        (traffic(17, timeout=3), "degraded", "3 of 20 calls in the last 5 minutes failed, mostly timeout"),
        (traffic(14, server_error=4, timeout=2), "degraded", "6 of 20 calls in the last 5 minutes failed, mostly server_error"),
        (traffic(13, server_error=7), "down", "7 of 20 calls in the last 5 minutes failed, mostly server_error"),
        (traffic(70, timeout=30), "degraded", "30 of 100 calls in the last 5 minutes failed, mostly timeout"),
        (traffic(69, timeout=31), "down", "31 of 100 calls in the last 5 minutes failed, mostly timeout"),
        (traffic(0, network_error=20), "down", "20 of 20 calls in the last 5 minutes failed, mostly network_error"),
        (traffic(0, auth_error=20), "down", "20 of 20 calls in the last 5 minutes failed, mostly auth_error"),
        (traffic(20, over_1s=2), "healthy", "20 of 20 calls in the last 5 minutes answered"),
        (traffic(20, over_1s=3), "degraded", "3 of 20 answers took 1 s or longer"),
        (traffic(100, over_1s=11), "degraded", "11 of 100 answers took 1 s or longer"),
        (traffic(20, over_1s=9, over_3s=9), "degraded", "9 of 20 answers took 1 s or longer"),
        (traffic(20, over_1s=10, over_3s=10), "down", "10 of 20 answers took 3 s or longer"),
        (traffic(16, over_1s=16, over_3s=16, timeout=4), "down", "16 of 16 answers took 3 s or longer"),
        (traffic(5, not_found=3, parse_error=1, layout_changed=1), "healthy", "10 of 10 calls in the last 5 minutes answered"),
        (traffic(10, no_proper_answer=10), "down", "10 of 20 calls in the last 5 minutes failed, mostly no_proper_answer"),
    ],
)
def test_traffic_tells_by_failures_and_by_time(seen: Traffic, status: str, reason: str) -> None:
    found = judge(seen, "closed")
    assert (found.status, found.reason, found.basis) == (status, reason, "traffic")


def test_lesson_31_a_mean_does_not_hide_four_slow_calls_of_ten() -> None:
    seen = traffic(20, over_1s=8, over_3s=8, ms=400.0)
    assert seen.avg_ms == 400.0
    assert judge(seen, "closed").status == "degraded"


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (Traffic(), "nobody asked it in the last 5 minutes"),
        (traffic(9), "9 calls in the last 5 minutes are too few to tell"),
        (traffic(1, timeout=2), "3 calls in the last 5 minutes are too few to tell, and 2 failed, mostly timeout"),
        (traffic(0, client_error=50, cancelled=50), "nobody asked it in the last 5 minutes"),
        (traffic(0, circuit_open=50, quota_exceeded=9, budget_exceeded=9), "nobody asked it in the last 5 minutes"),
    ],
)
def test_lesson_31_too_little_traffic_is_unknown_never_healthy(seen: Traffic, reason: str) -> None:
    assert judge(seen, "closed") == Health("unknown", reason)
    assert judge(seen, "closed", Health("unknown", "the check itself failed")) == Health("unknown", reason)


def test_a_call_without_an_attempt_is_no_traffic() -> None:
    seen = Traffic()
    seen.add(tally("auth_error", ended=50, asked=0))
    assert judge(seen, "closed").status == "unknown"


@pytest.mark.parametrize(("state", "word"), [("half_open", "single calls"), ("ramp", "growing share")])
def test_the_breaker_comes_before_the_traffic(state: str, word: str) -> None:
    well, checked = traffic(100), Health("healthy", "answered a probe", "probe")
    for seen in (well, Traffic()):
        assert judge(seen, "open", checked) == Health("down", "its breaker is open: calls are refused", "breaker")
        found = judge(seen, state, checked)
        assert (found.status, found.basis) == ("degraded", "breaker")
        assert word in found.reason
    assert judge(traffic(0, timeout=20), state).status == "down", "failures now count more than a breaker that tries again"


def test_a_check_counts_where_traffic_does_not_tell() -> None:
    checked = Health("healthy", "answered a probe in 80 ms", "probe", 80.0)
    assert judge(Traffic(), "closed", checked) == checked
    assert judge(traffic(3), "closed", checked) == checked
    doubtful = judge(traffic(1, timeout=2), "closed", checked)
    assert doubtful.status == "degraded"
    assert doubtful.reason == "answered a probe in 80 ms; but 2 of 3 calls in 5 minutes failed, mostly timeout"
    assert judge(traffic(0, timeout=20), "closed", checked).status == "down", "real traffic counts more"


@pytest.mark.parametrize(
    ("look", "status", "reason"),
    [
        (Look(999.4, 1), "healthy", "answered a probe in 999 ms"),
        (Look(1000.0, 1), "degraded", "answered a probe in 1000 ms"),
        (Look(2999.4, 1), "degraded", "answered a probe in 2999 ms"),
        (Look(3000.0, 1), "down", "answered a probe in 3000 ms"),
        (Look(5.0, 1, "not_found", "no such film"), "healthy", "answered a probe in 5 ms"),
        (Look(5.0, 1, "server_error", "HTTP 503"), "down", "did not answer a probe: server_error: HTTP 503"),
        (Look(5.0, 0, "network_error", "refused"), "down", "did not answer a probe: network_error: refused"),
        (Look(5.0, 1, "rate_limit", "HTTP 429"), "degraded", "answers, and asks to be left alone for a while"),
        (Look(0.0, 0, "circuit_open", "keeps failing"), "down", "its breaker is open: calls are refused"),
        (Look(0.0, 0, "quota_exceeded", "used up"), "unknown", "could not be asked: used up"),
        (Look(0.0, 0, "budget_exceeded", "used up"), "unknown", "could not be asked: used up"),
        (Look(0.0, 0, "bulkhead_full", "too many wait"), "unknown", "could not be asked: too many wait"),
        (Look(0.0, 0, refusal="it needs a key"), "unknown", "could not be asked: it needs a key"),
        (Look(5.0, 1, "client_error", "HTTP 400"), "unknown", "the probe says nothing of it: HTTP 400"),
    ],
)
def test_a_probe_tells_by_its_end_and_its_time(look: Look, status: str, reason: str) -> None:
    found = judge_look(look)
    assert (found.status, found.reason) == (status, reason)


def test_what_is_no_failure_of_a_service_is_named_as_the_record_names_it() -> None:
    assert {*SAYS_NOTHING, *REFUSED, *(ANSWERED - {None})} <= ERROR_TYPES


@given(answered=st.integers(0, 200), failed=st.integers(0, 200), slow=st.integers(0, 200))
def test_nothing_is_healthy_that_mostly_fails_or_that_nobody_asked(answered: int, failed: int, slow: int) -> None:
    seen = traffic(answered, over_1s=min(slow, answered), timeout=failed)
    status = judge(seen, "closed").status
    assert (status == "unknown") == (answered + failed < MINIMUM)
    if status == "healthy":
        assert failed * 9 <= answered
        assert seen.over_1s * 10 <= answered
