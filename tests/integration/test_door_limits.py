"""Quotas and budgets at the door, over real HTTP: every client is counted before its request leaves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import text

from cinegraph_core.actions import set_quota
from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import BudgetExceededError, NetworkError, QuotaExceededError, ServerError
from cinegraph_core.resilience.allowance import Granted, Limit
from cinegraph_core.services import guarded
from cinegraph_core.services.limits import Limits
from cinegraph_core.services.rules import Rule
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.limits import current_counters, lease_calls, settle_calls
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, Rows, open_door, shared_state
from tests.support.fault_server import FaultServer, answer, refusing_url
from tests.support.waiting import within

NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
TO_THE_HOUR, TO_MIDNIGHT = 2800.0, 6400.0
SPEC = ServiceSpec(name=NAME, base_url="https://films.example")


def _kind(outcome: object) -> type[Any]:
    """Return the class of an error as ours, though it may be one of httpx too."""
    ours = (QuotaExceededError, BudgetExceededError, NetworkError, ServerError)
    return next((kind for kind in ours if isinstance(outcome, kind)), type(outcome))


def kinds(bench: Bench, *work: Callable[[], Any]) -> list[type[Any]]:
    """Do one thing after the other; return the class of what came of each."""
    return [_kind(one) for one in bench.each(*work)]


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    server.plan("/film", answer())
    return server


@contextmanager
def opened(database_url: str, base_url: str, *, spec: ServiceSpec = SPEC, **settings: Any) -> Iterator[Bench]:
    clock, rows = PatientClock(NOW, patient_from=5.0, patience=10.0), Rows()
    with shared_state(database_url, clock) as shared:
        given = {"base_url": base_url, "retries": 0, **settings}
        yield Bench(open_door(spec, clock=clock, rows=rows, services={NAME: given}, shared=shared), clock, rows)


def test_lesson_25_a_quota_refuses_before_the_call_and_says_when_its_window_ends(database_url: str, server: FaultServer) -> None:
    with opened(database_url, server.url, hourly_quota=2, daily_quota=5) as bench:
        *fine, refused = bench.each(bench.get, bench.get, bench.get)
        assert fine == [{"id": 1}] * 2
        assert isinstance(refused, QuotaExceededError)
        assert refused.retry_after == TO_THE_HOUR
        assert bench.services.retry_after(NAME) == TO_THE_HOUR
        bench.clock.advance(TO_THE_HOUR)
        assert kinds(bench, bench.get, bench.get, bench.get) == [dict, dict, QuotaExceededError]
    assert server.counts["/film"] == 4
    assert bench.rows.brief == [*[(True, None, 1)] * 2, (False, "quota_exceeded", 0)] * 2


def test_lesson_25_the_day_is_the_provider_s_own(database_url: str, server: FaultServer) -> None:
    with opened(database_url, server.url, daily_quota=0, time_zone="Asia/Tokyo") as bench:
        (refused,) = bench.each(bench.get)
    assert isinstance(refused, QuotaExceededError)
    assert refused.retry_after == TO_MIDNIGHT + 15 * 3600  # Tokyo's day began at 15:00 UTC


def test_every_request_counts_a_retry_too_and_one_that_never_left_does_not(database_url: str, server: FaultServer) -> None:
    server.plan("/film", answer(503))
    with opened(database_url, server.url, daily_quota=3, retries=5, breaker_failures=50) as bench:
        (failed,) = bench.each(bench.get)
    assert isinstance(failed, ServerError), "the reason of the refused retry is what the service said"
    assert bench.rows.brief == [(False, "server_error", 3)]
    with opened(database_url, refusing_url(), spec=SPEC, daily_quota=4) as bench:
        assert kinds(bench, bench.get, bench.get, bench.get) == [NetworkError] * 3
    assert server.counts["/film"] == 3


def test_lesson_25_a_provider_that_says_nothing_is_left_is_believed_by_every_process(
    database_url: str, server: FaultServer
) -> None:
    server.plan("/film", answer(headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "600"}))
    with opened(database_url, server.url) as bench, opened(database_url, server.url) as other:
        *_, refused = bench.each(bench.get, bench.get)
        assert isinstance(refused, QuotaExceededError)
        assert refused.retry_after == 600.0
        assert within(2.0, lambda: kinds(other, other.get) == [QuotaExceededError])
        bench.clock.advance(600.0)
        assert kinds(bench, bench.get) == [dict]


def test_lesson_26_a_budget_counts_micro_dollars_and_is_told_of_once(
    database_url: str, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(database_url, server.url, daily_budget_usd=1.0, price_per_call_usd=0.1) as bench:
        outcomes = kinds(bench, *[bench.get] * 12)
    assert outcomes == [*[dict] * 10, *[BudgetExceededError] * 2]
    told = [record.message for record in caplog.records if "% used" in record.message]
    assert told[-1] == "daily_budget of films: 100 % used ($1.00 of $1.00)"
    assert len([line for line in told if "100 %" in line]) == 1
    assert len(told) <= 2


def test_lesson_26_50_parallel_calls_never_get_more_than_the_budget(database_url: str, server: FaultServer) -> None:
    with opened(database_url, server.url, daily_budget_usd=1.0, price_per_call_usd=0.1) as bench:
        outcomes = bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(50)), return_exceptions=True))[0]
    assert sum(one == {"id": 1} for one in outcomes) == server.counts["/film"] == 10
    assert sum(isinstance(one, BudgetExceededError) for one in outcomes) == 40


def test_lesson_02_a_guard_that_cannot_count_refuses_and_raises_an_alarm(
    database_url: str, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(database_url)
    with opened(database_url, server.url, daily_quota=5, daily_budget_usd=1.0, price_per_call_usd=0.1) as bench:
        with database.transaction() as session:
            session.execute(text("ALTER TABLE call_counters RENAME TO elsewhere"))
        assert kinds(bench, bench.get, bench.get) == [QuotaExceededError] * 2
        assert server.counts["/film"] == 0
        assert bench.rows.brief == [(False, "quota_exceeded", 0)] * 2
        assert any(record.levelno == logging.ERROR and "none may go" in record.message for record in caplog.records)
        with database.transaction() as session:
            session.execute(text("ALTER TABLE elsewhere RENAME TO call_counters"))
        bench.clock.advance(1.0)
        assert kinds(bench, bench.get) == [dict]
    with database.reading() as session:
        assert [row.what for row in recent_actions(session)] == ["shared_state.lost"]
    database.close()


def test_what_is_leased_may_be_used_while_the_database_is_away(database_url: str, server: FaultServer) -> None:
    database = Database(database_url)
    with opened(database_url, server.url, daily_quota=800) as bench:
        bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(20))))
        with database.transaction() as session:
            session.execute(text("ALTER TABLE call_counters RENAME TO elsewhere"))
        outcomes = bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(100)), return_exceptions=True))[0]
        fine = sum(one == {"id": 1} for one in outcomes)
        with database.transaction() as session:
            session.execute(text("ALTER TABLE elsewhere RENAME TO call_counters"))
    assert fine <= 32
    assert {_kind(one) for one in outcomes} <= {dict, QuotaExceededError}
    assert server.counts["/film"] == 20 + fine
    with database.reading() as session:
        (row,) = current_counters(session, NOW)
    assert (row.used, row.reserved) == (20 + fine, 0)
    database.close()


def test_all_services_together_keep_within_one_budget(database_url: str, server: FaultServer) -> None:
    clock, rows = PatientClock(NOW, patient_from=5.0, patience=10.0), Rows()
    specs = [ServiceSpec(name=name, base_url=f"https://{name}.example", price_per_call_usd=0.1) for name in ("films", "news")]
    with shared_state(database_url, clock) as shared:
        given = {spec.name: {"base_url": server.url} for spec in specs}
        services = open_door(*specs, clock=clock, rows=rows, services=given, shared=shared, total_budget=0.5)

        async def work() -> list[Any]:
            calls = [services.client(name).get("/film", call=Call(name, "request", "/film")) for name in ("films", "news") * 4]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            await services.aclose()
            return outcomes

        outcomes = asyncio.run(work())
    assert sum(isinstance(one, BudgetExceededError) for one in outcomes) == 3
    assert server.counts["/film"] == 5


def test_a_quota_that_is_changed_is_felt_within_a_second_by_a_process_that_had_none(
    database_url: str, server: FaultServer
) -> None:
    database = Database(database_url)
    with opened(database_url, server.url) as bench:
        assert kinds(bench, bench.get) == [dict]
        change = set_quota(database, NAME, daily=0, hourly=None, clock=bench.clock, who="anna")
        assert change.after == {"daily_quota": 0}
        began = time.monotonic()
        assert within(1.0, lambda: kinds(bench, bench.get) == [QuotaExceededError]), time.monotonic() - began
        set_quota(database, NAME, daily=5000, hourly=None, clock=bench.clock, who="anna")
        assert within(1.0, lambda: kinds(bench, bench.get) == [dict])
    # A process that starts later keeps to it from its first call on.
    set_quota(database, NAME, daily=0, hourly=None, clock=bench.clock, who="anna")
    with opened(database_url, server.url) as later:
        assert kinds(later, later.get) == [QuotaExceededError]
    with database.reading() as session:
        assert [row.what for row in recent_actions(session)] == ["quota.set"] * 3
    database.close()


def test_lesson_25_a_process_gives_back_what_it_could_not_use_in_time_before_it_is_refused(
    database_url: str, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinegraph_core.services.shared.PULSE", 3600.0)
    database, midnight = Database(database_url), NOW + TO_MIDNIGHT
    with opened(database_url, server.url, daily_quota=800) as bench:
        bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(20))))  # leases one more, ahead of need
        with database.transaction() as session:
            limit = Limit(NAME, "daily_quota", 800, 1, midnight - 86_400, midnight)
            others = lease_calls(session, NAME, [limit], needed=800, ahead=0, now=NOW, expires_at=NOW + 30)
            assert isinstance(others, Granted)
            settle_calls(session, others.key, used=others.calls, back=0)
        idle = 780 - others.calls
        assert idle > 0
        bench.clock.advance(10.0)
        assert kinds(bench, *[bench.get] * idle) == [dict] * idle
        (refused,) = bench.each(bench.get)
        assert isinstance(refused, QuotaExceededError)
        assert refused.parked_until == midnight
    database.close()


def test_lesson_25_work_is_parked_no_longer_than_until_another_process_must_have_settled_what_fills_the_quota(
    database_url: str, server: FaultServer
) -> None:
    with (
        opened(database_url, server.url, daily_quota=1, timeout=5.0) as bench,
        opened(database_url, server.url, daily_quota=1, timeout=5.0) as other,
    ):

        @guarded(SPEC, services=other.services)
        def never_leaves() -> None:
            refused = [one.each(one.get)[0] for one in (bench, other)]
            assert [error.parked_until for error in refused] == [NOW + 25.0, NOW + TO_MIDNIGHT]
            raise ConnectionRefusedError

        with pytest.raises(NetworkError):
            never_leaves()

        def is_let_in() -> bool:
            bench.clock.advance(1.0)
            return kinds(bench, bench.get) == [dict]

        assert within(3.0, is_let_in)


def test_a_blocking_client_and_a_decorated_function_are_counted_too(database_url: str, server: FaultServer) -> None:
    with opened(database_url, server.url, daily_quota=2) as bench:

        @guarded(SPEC, services=bench.services)
        def blocking() -> str:
            return "done"

        @guarded(SPEC, services=bench.services)
        async def waiting() -> str:
            return "done"

        with bench.services.sync_client(NAME) as http:
            assert http.get("/film").status_code == 200
            assert blocking() == "done"
            with pytest.raises(QuotaExceededError):
                http.get("/film")
        with pytest.raises(QuotaExceededError):
            blocking()
        with pytest.raises(QuotaExceededError):
            asyncio.run(waiting())
    assert server.counts["/film"] == 1


def test_who_waits_while_a_call_is_granted_and_not_taken_yet_is_told_the_end_of_the_window(database_url: str) -> None:
    clock = PatientClock(NOW, patient_from=5.0, patience=10.0)
    with shared_state(database_url, clock) as shared:
        limits = Limits(SPEC, (Rule(NAME, "daily_quota", "day", UTC, 1),), clock=clock, shared=shared)
        limits.ask().result(10.0)
        limits.ask().result(10.0)
        assert limits.take(NOW) is not None
        assert limits.take(NOW) is None, "nobody knew what the first one would do with its call"
        limits.ask().result(10.0)
        with pytest.raises(QuotaExceededError) as refused:
            limits.take(NOW)
    assert refused.value.retry_after == TO_MIDNIGHT
