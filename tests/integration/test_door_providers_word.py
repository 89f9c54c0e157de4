"""What a provider says of its own quota, over real HTTP: believed, bounded, and taken back by a person."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cinegraph_core.actions import reset_quota
from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import QuotaExceededError, UnknownError
from cinegraph_core.resilience.budget import Tokens
from cinegraph_core.resilience.quota import LONGEST_WINDOW
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.controls import controls, set_control
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, Rows, open_door, shared_state
from tests.support.fault_server import FaultServer, answer
from tests.support.waiting import within

NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
SPEC = ServiceSpec(name=NAME, base_url="https://films.example")


@contextmanager
def opened(database_url: str, base_url: str, **settings: Any) -> Iterator[Bench]:
    """A process with a door of its own on the database."""
    clock, rows = PatientClock(NOW, patient_from=5.0, patience=10.0), Rows()
    with shared_state(database_url, clock) as shared:
        given = {"base_url": base_url, "retries": 0, **settings}
        yield Bench(open_door(SPEC, clock=clock, rows=rows, services={NAME: given}, shared=shared), clock, rows)


def said(left: int, reset: object, *, status: int = 200) -> Any:
    """An answer that says how many calls are left, and until when."""
    return answer(status, headers={"x-ratelimit-remaining": str(left), "x-ratelimit-reset": str(reset)})


def kinds(bench: Bench, calls: int) -> Counter[str]:
    """Ask so many times at once; return how often each class of outcome came."""
    outcomes = bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(calls)), return_exceptions=True))[0]
    return Counter(type(one).__name__ for one in outcomes)


def is_refused(bench: Bench) -> bool:
    return isinstance(bench.each(bench.get)[0], QuotaExceededError)


@pytest.mark.parametrize(
    ("reset", "wait"), [(int((NOW + 600) * 1000), 600.0), ("9" * 15, LONGEST_WINDOW), (int(NOW * 7), LONGEST_WINDOW)]
)
def test_lesson_25_a_reset_in_milliseconds_or_of_nonsense_ends_and_is_never_a_bare_error(
    database_url: str, server: FaultServer, reset: int, wait: float
) -> None:
    server.plan("/film", said(0, reset), answer())
    with opened(database_url, server.url) as bench:
        _, refused = bench.each(bench.get, bench.get)
        assert isinstance(refused, QuotaExceededError)
        assert (refused.retry_after, bench.services.retry_after(NAME)) == (wait, wait)
    with opened(database_url, server.url) as later:
        assert is_refused(later)
        later.clock.advance(wait)
        assert later.each(later.get) == [{"id": 1}]
    assert bench.rows.brief == [(True, None, 1), (False, "quota_exceeded", 0)]


def test_a_word_of_another_process_that_lies_further_ahead_than_any_window_is_not_believed(
    database_url: str, server: FaultServer
) -> None:
    server.plan("/film", answer())
    database = Database(database_url)
    database.prepare("live")
    with database.transaction() as session:
        set_control(session, NAME, "spent_until", int(NOW * 1_000_000), now=NOW)
    with opened(database_url, server.url) as bench:
        assert bench.each(bench.get) == [{"id": 1}]
    database.close()


def test_lesson_25_a_person_takes_back_what_a_provider_said_in_every_process(database_url: str, server: FaultServer) -> None:
    server.plan("/film", said(0, 6000), answer())
    database = Database(database_url)
    with opened(database_url, server.url) as bench, opened(database_url, server.url) as other:
        bench.each(bench.get)
        assert is_refused(bench)
        assert within(2.0, lambda: is_refused(other))
        change = reset_quota(database, NAME, clock=bench.clock, who="anna")
        assert change.before == {"provider_says": "used up", "until": "2023-11-14 23:53:20 UTC"}
        began = time.monotonic()
        assert within(1.0, lambda: not is_refused(bench) and not is_refused(other)), time.monotonic() - began
        # Said again, and taken back again.
        server.plan("/film", said(0, 6000), answer())
        bench.each(bench.get)
        assert is_refused(bench)
        assert within(2.0, lambda: is_refused(other))
        bench.clock.advance(1.0)
        reset_quota(database, NAME, clock=bench.clock, who="anna")
        assert within(1.0, lambda: not is_refused(bench) and not is_refused(other))
    with opened(database_url, server.url) as later:
        assert not is_refused(later)
    with database.reading() as session:
        assert [(row.what, row.subject, row.who) for row in recent_actions(session)] == [("quota.reset", NAME, "anna")] * 2
    database.close()


def test_a_reset_is_told_by_a_process_that_had_believed_the_provider_and_by_no_later_one(
    database_url: str, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan("/film", said(0, 6000))
    database = Database(database_url)
    with opened(database_url, server.url) as bench:
        bench.each(bench.get)
        reset_quota(database, NAME, clock=bench.clock, who="anna")
        assert within(2.0, lambda: not is_refused(bench))
        with opened(database_url, server.url) as later:
            later.services.state(NAME)
    assert caplog.text.count("was reset by hand") == 1
    database.close()


def test_lesson_25_no_more_calls_begin_at_once_than_the_provider_says_are_left(database_url: str, server: FaultServer) -> None:
    server.plan("/film", said(2, 3600), said(1, 3600), said(0, 3600), said(0, 3600, status=429))
    with opened(database_url, server.url, daily_quota=1000) as bench:
        bench.each(bench.get)
        assert kinds(bench, 20) == {"dict": 2, "QuotaExceededError": 18}
        assert server.counts["/film"] == 3
        server.plan("/film", said(100, 3600))
        bench.clock.advance(3600.0)
        assert kinds(bench, 20) == {"dict": 20}


def test_a_place_that_a_call_did_not_use_is_there_for_the_next(database_url: str, server: FaultServer) -> None:
    server.plan("/film", said(1, 3600), answer())
    with opened(database_url, server.url, daily_quota=2, hourly_quota=1) as bench:
        assert is_refused(bench) is False
        assert [is_refused(bench) for _ in range(3)] == [True] * 3, "by our own hourly quota"
        bench.clock.advance(2800.0)
        assert is_refused(bench) is False, "none of them took the one that is left"
        assert is_refused(bench)
    assert server.counts["/film"] == 2


def test_what_is_left_for_ten_seconds_or_less_bounds_nothing(database_url: str, server: FaultServer) -> None:
    server.plan("/film", said(2, 10))
    with opened(database_url, server.url) as bench:
        bench.each(bench.get)
        assert kinds(bench, 20) == {"dict": 20}


def test_lesson_22_a_429_that_does_not_say_until_when_holds_everybody_for_a_while_and_longer_if_said_again(
    database_url: str, server: FaultServer
) -> None:
    server.plan("/film", answer(429, b"{}"))
    holds = []
    with opened(database_url, server.url, breaker_failures=2) as bench, opened(database_url, server.url) as other:
        for calls in (20, 20, 1):
            assert kinds(bench, calls) == {"RateLimitError": calls}
            holds.append(bench.services.retry_after(NAME))
        assert bench.services.breaker_state(NAME) == "closed"
        assert within(2.0, lambda: 0 < other.services.retry_after(NAME) <= 10.0)
        assert server.counts["/film"] == 41
        assert [wait for wait in bench.clock.slept if 0 < wait < 5.0] == [1.0] * 20 + [2.0]
        server.plan("/film", answer())
        assert bench.each(bench.get) == [{"id": 1}]
    assert holds == [1.0, 2.0, 4.0]


def test_lesson_02_a_call_whose_count_breaks_is_refused_and_leaves_a_row(database_url: str, server: FaultServer) -> None:
    server.plan("/film", answer())
    prices = {"price_per_million_input_tokens_usd": 1.0, "max_input_tokens": 5, "daily_budget_usd": 1.0}
    with opened(database_url, server.url, **prices) as bench:
        call = Call(NAME, "chat", "/film", tokens=Tokens("many", 0))  # type: ignore[arg-type]
        (refused,) = bench.each(lambda: bench.client.get("/film", call=call))
    assert isinstance(refused, UnknownError)
    assert "cannot be counted" in str(refused)
    assert bench.rows.brief == [(False, "unknown", 0)]
    assert server.counts["/film"] == 0


def test_the_word_in_the_database_is_a_moment_below_zero_once_it_is_taken_back(database_url: str) -> None:
    database = Database(database_url)
    database.prepare("live")
    clock = PatientClock(NOW)
    assert reset_quota(database, NAME, clock=clock, who="anna").before == {"provider_says": "nothing", "until": None}
    with database.reading() as session:
        assert controls(session)[NAME, "spent_until"] == -int(NOW * 1000)
    database.close()
