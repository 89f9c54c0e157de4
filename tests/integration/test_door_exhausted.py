"""What a used-up quota or budget means for a call and for the calendar: the policy, the provider's word, the turn of a window."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cinegraph_core.actions import set_quota
from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.errors import NotFoundError, QuotaExceededError, RateLimitError, ServiceError
from cinegraph_core.resilience.allowance import Limit
from cinegraph_core.services import Services
from cinegraph_core.storage import Database
from cinegraph_core.storage.limits import current_counters, lease_calls
from cinegraph_omdb import service as omdb_service
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, Rows, open_door, shared_state
from tests.support.fault_server import FaultServer, answer
from tests.support.waiting import within

pytestmark = pytest.mark.usefixtures("patient_cache")
NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
TO_MIDNIGHT = 6400.0
SPEC = ServiceSpec(name=NAME, base_url="https://films.example")
LIMIT = b'{"Response": "False", "Error": "Request limit reached!"}'


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    server.plan("/film", answer())
    return server


class _SetClock(PatientClock):
    """One that somebody may set."""

    def set_by(self, seconds: float) -> None:
        self._start += seconds


@contextmanager
def opened(database_url: str, base_url: str, *, now: float = NOW, **settings: Any) -> Iterator[Bench]:
    """A process with a door of its own on the database."""
    clock, rows = _SetClock(now, patient_from=5.0, patience=10.0), Rows()
    with shared_state(database_url, clock) as shared:
        given = {"base_url": base_url, "retries": 0, **settings}
        yield Bench(open_door(SPEC, clock=clock, rows=rows, services={NAME: given}, shared=shared), clock, rows)


async def _outcome(services: Services) -> Any:
    """Ask OMDb for a film; return what came of it."""
    try:
        return await services.client("omdb").get("/", call=Call("omdb", "omdb_by_id", "tt0094675", Answer.json))
    except ServiceError as error:
        return error
    finally:
        await services.aclose()


class TestPolicy:
    def test_parked_work_is_told_the_second_at_which_its_window_begins_anew(self, server: FaultServer, database_url: str) -> None:
        with opened(database_url, server.url, daily_quota=0) as bench:
            (refused,) = bench.each(bench.get)
        assert isinstance(refused, QuotaExceededError)
        assert (refused.retry_after, refused.parked_until) == (TO_MIDNIGHT, NOW + TO_MIDNIGHT)
        assert "2023-11-15 00:00:00 UTC" in str(refused)

    def test_refused_work_is_told_when_but_is_not_parked(self, server: FaultServer, database_url: str) -> None:
        with opened(database_url, server.url, daily_quota=0, on_exhausted="refuse") as bench:
            (refused,) = bench.each(bench.get)
        assert isinstance(refused, QuotaExceededError)
        assert (refused.retry_after, refused.parked_until) == (TO_MIDNIGHT, None)

    @pytest.mark.parametrize("policy", ["park", "stale", "refuse"])
    def test_a_stale_answer_serves_only_where_the_policy_is_stale(
        self, server: FaultServer, database_url: str, policy: str
    ) -> None:
        kept: dict[str, Any] = {"cache_ttl": 60.0, "cache_on_error": 10_000.0, "daily_quota": 1, "on_exhausted": policy}
        with opened(database_url, server.url, **kept) as bench:
            assert bench.each(bench.get) == [{"id": 1}]
            bench.clock.advance(100.0)
            stale, missing = bench.each(bench.get, lambda: bench.get("/other"))
        served = policy == "stale"
        assert (stale == {"id": 1}) is served
        assert bench.rows.all[1].provenance == ("stale" if served else "live")
        assert isinstance(missing, QuotaExceededError), "what is not kept cannot be stale"
        assert (missing.parked_until is None) is (policy == "refuse")
        assert server.counts.total() == 1

    def test_after_an_outage_a_stale_answer_serves_whatever_the_policy(self, server: FaultServer, database_url: str) -> None:
        with opened(database_url, server.url, cache_ttl=60.0, cache_on_error=10_000.0) as bench:
            bench.each(bench.get)
            server.plan("/film", answer(503))
            bench.clock.advance(100.0)
            assert bench.each(bench.get) == [{"id": 1}]

    def test_a_retry_for_which_nothing_is_left_parks_the_work_and_keeps_the_reason(
        self, server: FaultServer, database_url: str
    ) -> None:
        server.plan("/film", answer(503))
        with opened(database_url, server.url, daily_quota=1, retries=3) as bench:
            (failed,) = bench.each(bench.get)
        assert isinstance(failed, ServiceError)
        assert (failed.error_type, failed.parked_until) == ("server_error", NOW + TO_MIDNIGHT)


class TestTheProvidersWord:
    """OMDb tells by its body alone that the day's requests are used up, and sends no header that says until when."""

    @pytest.mark.parametrize("status", [200, 401])
    def test_lesson_29_omdbs_limit_parks_the_work_until_its_own_midnight_in_every_process(
        self, server: FaultServer, database_url: str, status: int
    ) -> None:
        (spec,) = omdb_service()
        server.plan("/", answer(status, LIMIT))
        midnight = datetime(2023, 11, 15, tzinfo=ZoneInfo("America/New_York")).timestamp()
        clock, rows = PatientClock(NOW, patient_from=5.0, patience=10.0), Rows()
        given = {"omdb": {"base_url": server.url, "api_key": "x", "time_zone": "America/New_York"}}
        with shared_state(database_url, clock) as one, shared_state(database_url, clock) as other:
            first, second = (open_door(spec, clock=clock, rows=rows, services=given, shared=shared) for shared in (one, other))

            def ask(services: Services) -> Any:
                return asyncio.run(_outcome(services))

            limited = ask(first)
            assert isinstance(limited, RateLimitError)
            assert (limited.retry_after, limited.parked_until) == (midnight - NOW, midnight)
            refused = ask(first)
            assert isinstance(refused, QuotaExceededError)
            assert refused.parked_until == midnight
            assert within(2.0, lambda: second.retry_after("omdb") == midnight - NOW)
            assert isinstance(ask(second), QuotaExceededError)
            assert server.counts["/"] == 1, "not tried again, by nobody"
            server.plan("/", answer(200, b'{"Response": "False", "Error": "Movie not found!"}'))
            clock.advance(midnight - NOW)
            assert isinstance(ask(first), NotFoundError)
        assert rows.brief[:2] == [(False, "rate_limit", 1), (False, "quota_exceeded", 0)]

    def test_lesson_25_a_429_whose_headers_say_when_is_parked_until_then(self, server: FaultServer, database_url: str) -> None:
        spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "600", "retry-after": "5"}
        server.plan("/film", answer(429, headers=spent))
        with opened(database_url, server.url, retries=3) as bench:
            (limited,) = bench.each(bench.get)
        assert isinstance(limited, RateLimitError)
        assert (limited.retry_after, limited.parked_until) == (600.0, NOW + 600)
        assert server.counts["/film"] == 1


class TestWindows:
    @pytest.mark.parametrize(("date", "hours"), [((2024, 3, 31), 21.5), ((2024, 10, 27), 23.5), ((2024, 7, 10), 22.5)])
    def test_lesson_25_the_day_of_a_quota_ends_at_midnight_also_when_the_clocks_change(
        self, server: FaultServer, database_url: str, date: tuple[int, int, int], hours: float
    ) -> None:
        now = datetime(*date, 1, 30, tzinfo=ZoneInfo("Europe/Rome")).timestamp()
        with opened(database_url, server.url, now=now, daily_quota=1, time_zone="Europe/Rome") as bench:
            _, refused = bench.each(bench.get, bench.get)
            assert isinstance(refused, QuotaExceededError)
            assert refused.retry_after == hours * 3600
            bench.clock.advance(refused.retry_after - 1)
            assert isinstance(bench.each(bench.get)[0], QuotaExceededError)
            bench.clock.advance(1)
            assert bench.each(bench.get) == [{"id": 1}]

    def test_lesson_25_a_clock_set_back_an_hour_gives_nothing_anew_and_holds_nothing_up(
        self, server: FaultServer, database_url: str
    ) -> None:
        with opened(database_url, server.url, hourly_quota=2) as bench:
            assert bench.each(bench.get) == [{"id": 1}]
            bench.clock.advance(3600)
            *_, refused = bench.each(bench.get, bench.get, bench.get)
            assert isinstance(refused, QuotaExceededError)
            bench.clock.set_by(-3600)
            # The hour before still has one of its two, at once: the later hour's refusal says nothing about it.
            answered, refused = bench.each(bench.get, bench.get)
            assert answered == {"id": 1}
            assert isinstance(refused, QuotaExceededError)
        assert server.counts["/film"] == 4

    def test_a_clock_set_forward_an_hour_counts_on_in_the_day_and_anew_in_the_hour(
        self, server: FaultServer, database: Database, database_url: str
    ) -> None:
        with opened(database_url, server.url, hourly_quota=2, daily_quota=3) as bench:
            bench.each(bench.get, bench.get)
            bench.clock.set_by(3600)
            answered, refused = bench.each(bench.get, bench.get)
            assert answered == {"id": 1}
            assert isinstance(refused, QuotaExceededError)
            assert "daily quota" in str(refused)
            with database.reading() as session:
                assert {row.counter: row.used + row.reserved for row in current_counters(session, bench.clock.now())} == {
                    "hourly_quota": 1,
                    "daily_quota": 3,
                }


class TestMarks:
    """80 and 100 per cent are told once for each window and ceiling, whoever counts."""

    def told(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        return sorted(record.message.partition(" (")[0] for record in caplog.records if "% used" in record.message)

    def test_each_mark_is_told_by_one_of_several_processes_and_by_none_that_starts_later(
        self, server: FaultServer, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        once = ["daily_quota of films: 100 % used", "daily_quota of films: 80 % used"]
        with (
            opened(database_url, server.url, daily_quota=10) as one,
            opened(database_url, server.url, daily_quota=10) as other,
        ):
            one.each(*[one.get] * 4)
            other.each(*[other.get] * 4)
            assert within(3.0, lambda: self.told(caplog) == once[1:])
            one.each(*[one.get] * 4)
            assert within(3.0, lambda: self.told(caplog) == once)
        for _ in range(2):
            with opened(database_url, server.url, daily_quota=10) as later:
                assert isinstance(later.each(later.get)[0], QuotaExceededError)
        assert self.told(caplog) == once
        with opened(database_url, server.url, now=NOW + TO_MIDNIGHT, daily_quota=10) as tomorrow:
            tomorrow.each(*[tomorrow.get] * 10)
        assert self.told(caplog).count(once[0]) == 2, "another window, another word"

    def test_a_raised_ceiling_is_told_of_anew(
        self, server: FaultServer, database: Database, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with opened(database_url, server.url, daily_quota=5) as bench:
            bench.each(*[bench.get] * 6)
            assert within(3.0, lambda: "daily_quota of films: 100 % used" in self.told(caplog))
            caplog.clear()
            set_quota(database, NAME, daily=10, hourly=None, clock=bench.clock, who="anna")
            assert within(3.0, lambda: bench.each(bench.get) == [{"id": 1}])
            bench.each(*[bench.get] * 6)
        assert self.told(caplog)[0] == "daily_quota of films: 100 % used"
        assert len(self.told(caplog)) == len(set(self.told(caplog)))

    def test_a_mark_that_a_killed_process_passed_is_told_by_the_next_one_who_counts(
        self, server: FaultServer, database: Database, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        limit = Limit(NAME, "daily_quota", 10, 1, NOW + TO_MIDNIGHT - 86_400, NOW + TO_MIDNIGHT)
        with database.transaction() as session:
            lease_calls(session, NAME, [limit], needed=10, ahead=0, now=NOW, expires_at=NOW + 30)
        with opened(database_url, server.url, now=NOW + 60, daily_quota=10) as bench:
            assert isinstance(bench.each(bench.get)[0], QuotaExceededError)
        assert self.told(caplog) == ["daily_quota of films: 100 % used", "daily_quota of films: 80 % used"]
