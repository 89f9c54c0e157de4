"""``cinegraph services`` and ``costs``: what each service may still be asked, and the hand on it, on both databases."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.resilience.allowance import Limit
from cinegraph_core.resilience.cache import Entry
from cinegraph_core.resilience.calendar import window, zone_of
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.cache import add_tallies, find_answer, keep_answers
from cinegraph_core.storage.controls import controls, set_control
from cinegraph_core.storage.limits import lease_calls, settle_calls
from cinegraph_core.storage.state import record_transition, service_states
from tests.support.cli import document


def services(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return {one["name"]: one for one in document(capsys, "services")["services"]}


def spend(database: Database, owner: str, counter: str, *, ceiling: int, units: int, used: int, reserved: int) -> None:
    """Use some calls of a limit whose window began an hour ago and ends in three, and leave some reserved."""
    now = time.time()
    limit = Limit(owner, counter, ceiling, units, now - 3600, now + 3 * 3600)
    with database.transaction() as session:
        lease: Any = lease_calls(session, owner, [limit], needed=used + reserved, ahead=0, now=now, expires_at=now + 60)
        settle_calls(session, lease.key, used=used, back=0)


def test_after_a_change_of_time_zone_the_counters_of_its_own_day_are_shown(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__DAILY_QUOTA", "1000")
    now, used = time.time(), {"UTC": 7, "Asia/Kolkata": 900, "Asia/Kathmandu": 30}
    with database.transaction() as session:
        for zone, calls in used.items():
            today = window("day", now, zone_of(zone))
            limit = Limit("tmdb", "daily_quota", 1000, 1, today.start, today.end)
            lease: Any = lease_calls(session, "tmdb", [limit], needed=calls, ahead=0, now=now, expires_at=now + 60)
            settle_calls(session, lease.key, used=calls, back=0)
    for zone, calls in used.items():
        monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__TIME_ZONE", zone)
        assert services(capsys)["tmdb"]["quota"]["daily"]["used"] == calls


def test_what_a_killed_process_left_reserved_is_shown_as_used_once_its_lease_has_expired(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__DAILY_QUOTA", "100")
    now = time.time()
    today = window("day", now, zone_of("UTC"))
    limit = Limit("tmdb", "daily_quota", 100, 1, today.start, today.end)
    with database.transaction() as session:
        for calls, left in ((3, 60.0), (4, -1.0)):
            lease_calls(session, "tmdb", [limit], needed=calls, ahead=0, now=now - 100, expires_at=now + left)
    quota = services(capsys)["tmdb"]["quota"]["daily"]
    assert (quota["used"], quota["reserved"]) == (4, 3)


def test_ones_own_services_are_shown_and_paid_for_like_any(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("DAILY_BUDGET_USD", "5"), ("PRICE_PER_CALL_USD", "0.5")):
        monkeypatch.setenv(f"CINEGRAPH_SERVICES__OPENAI__{name}", value)
    monkeypatch.setenv("CINEGRAPH_OWN_SERVICES", "openai")
    spend(database, "openai", "daily_budget", ceiling=5_000_000, units=500_000, used=4, reserved=0)
    assert services(capsys)["openai"]["budget"] == {"spent_usd": 2.0, "reserved_usd": 0.0, "budget_usd": 5.0}
    (openai,) = document(capsys, "costs")["costs"]
    assert (openai["service"], openai["spent_usd"]) == ("openai", 2.0)
    (checked,) = document(capsys, "services", "check", "openai")["checked"]
    assert (checked["service"], checked["status"]) == ("openai", "unknown")
    assert root.run(["services", "mode", "set", "openai", "mock"]) == endings.FAILED
    assert "openai comes with your own code" in capsys.readouterr().err


def test_a_service_nobody_limits_says_so(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    tmdb = services(capsys)["tmdb"]
    assert (tmdb["mode"], tmdb["quota"], tmdb["budget"]) == ("mock", None, None)
    assert tmdb["breaker"] == {"state": "closed", "retry_at": None}
    assert (tmdb["cache"]["ttl"], tmdb["cache"]["entries"]) == (0.0, 0)


def test_breaker_quota_budget_and_cache_are_shown_as_all_processes_see_them(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("DAILY_QUOTA", "100"), ("DAILY_BUDGET_USD", "10"), ("PRICE_PER_CALL_USD", "0.5"), ("CACHE_TTL", "60")):
        monkeypatch.setenv(f"CINEGRAPH_SERVICES__TMDB__{name}", value)
    spend(database, "tmdb", "daily_quota", ceiling=100, units=1, used=80, reserved=5)
    spend(database, "tmdb", "daily_budget", ceiling=10_000_000, units=500_000, used=4, reserved=1)
    now = time.time()
    entry = Entry("k", "tmdb", "/movie/1", 200, {}, b"{}", "https://x", False, now, now + 60, now + 60)
    with database.transaction() as session:
        record_transition(session, "tmdb", "open", changed_at=now, retry_at=now + 60)
        record_transition(session, "omdb", "open", changed_at=now - 90, retry_at=now - 30)
        keep_answers(session, [entry], now=now)
        add_tallies(session, "tmdb", {"hits": 7})
    found = services(capsys)
    tmdb = found["tmdb"]
    assert tmdb["quota"] == {"daily": {"limit": 100, "used": 80, "reserved": 5, "status": "warning"}}
    assert tmdb["budget"] == {"spent_usd": 2.0, "reserved_usd": 0.5, "budget_usd": 10.0}
    assert (tmdb["cache"]["entries"], tmdb["cache"]["hits"], tmdb["cache"]["ttl"]) == (1, 7, 60.0)
    assert tmdb["breaker"]["state"] == "open"
    assert found["omdb"]["breaker"] == {"state": "half_open", "retry_at": None}
    assert root.run(["services"]) == endings.DONE
    assert "85/100" in capsys.readouterr().out


def test_a_quota_set_by_hand_is_shown_and_audited(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    change = document(capsys, "services", "quota", "set", "tmdb", "--daily", "5", "--hourly", "2")
    assert (change["before"], change["after"]) == (
        {"daily_quota": None, "hourly_quota": None},
        {"daily_quota": 5, "hourly_quota": 2},
    )
    assert {name: one["limit"] for name, one in services(capsys)["tmdb"]["quota"].items()} == {"hourly": 2, "daily": 5}
    with database.reading() as session:
        (row,) = recent_actions(session)
    assert (row.what, row.subject, row.after) == ("quota.set", "tmdb", {"daily_quota": 5, "hourly_quota": 2})


def test_what_a_provider_said_of_its_quota_is_taken_back_by_hand(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    document(capsys, "services", "quota", "set", "tmdb", "--daily", "5")
    with database.transaction() as session:
        set_control(session, "tmdb", "spent_until", 1_700_000_030_000 * 1000, now=time.time())  # in microseconds
    change = document(capsys, "services", "quota", "reset", "tmdb")
    assert change["before"] == {"provider_says": "used up", "until": "9999-12-31 23:59:59 UTC"}
    assert services(capsys)["tmdb"]["quota"]["daily"]["limit"] == 5, "what a person set stays"
    assert root.run(["services", "quota", "reset", "tmdb"]) == endings.DONE
    assert "quota of tmdb: provider_says nothing → provider_says nothing, by" in capsys.readouterr().out
    with database.reading() as session:
        assert [row.what for row in recent_actions(session)] == ["quota.reset", "quota.reset", "quota.set"]


def test_a_breaker_is_reset_by_hand(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with database.transaction() as session:
        record_transition(session, "tmdb", "open", changed_at=time.time() - 1, retry_at=time.time() + 60)
    assert document(capsys, "services", "breaker", "reset", "tmdb")["before"] == {"state": "open"}
    with database.reading() as session:
        assert service_states(session)["tmdb"].breaker_state == "closed"
        assert ("tmdb", "breaker_reset") in controls(session)
        assert [row.what for row in recent_actions(session)] == ["breaker.reset"]


def test_a_cache_is_cleared_as_a_whole_or_below_a_path(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    now = time.time()
    kept = [Entry(path, "tmdb", path, 200, {}, b"", "https://x", False, now, now + 60, now + 60) for path in ("/a/1", "/b/1")]
    with database.transaction() as session:
        keep_answers(session, kept, now=now)
    assert document(capsys, "services", "cache", "clear", "tmdb", "--prefix", "/a/")["before"] == {"entries": 1, "prefix": "/a/"}
    with database.reading() as session:
        assert [find_answer(session, key) is not None for key in ("/a/1", "/b/1")] == [False, True]
    assert document(capsys, "services", "cache", "clear", "tmdb")["before"] == {"entries": 1}
    assert root.run(["services", "cache", "clear", "tmdb"]) == endings.DONE
    assert "cache of tmdb: entries 0 → entries 0, by" in capsys.readouterr().out


def test_a_cache_is_cleared_of_what_is_about_one_thing_and_that_is_audited(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    kept = [
        Entry(key, "tmdb", f"/{key}", 200, {}, b"", "https://x", False, now, now + 60, now + 60, tags)
        for key, tags in (("a", ("film:603",)), ("b", ("film:604",)), ("c", ("film:603", "person:1")))
    ]
    with database.transaction() as session:
        keep_answers(session, kept, now=now)
    change = document(capsys, "services", "cache", "clear", "tmdb", "--tag", "film:603", "--prefix", "/c")
    assert (change["before"], change["after"]) == (
        {"entries": 1, "prefix": "/c", "tag": "film:603"},
        {"entries": 0, "prefix": "/c", "tag": "film:603"},
    )
    assert document(capsys, "services", "cache", "clear", "tmdb", "--tag", "film:603")["before"]["entries"] == 1
    with database.reading() as session:
        assert [find_answer(session, key) is not None for key in "abc"] == [False, True, False]
        assert [(row.what, row.before["tag"]) for row in recent_actions(session)] == [("cache.clear", "film:603")] * 2


def test_the_statistics_of_a_cache_are_whole(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    tally = {"hits": 7, "stale": 1, "joined": 2, "misses": 3, "stored": 4, "evicted": 5, "negative": 6}
    with database.transaction() as session:
        add_tallies(session, "tmdb", tally)
    cache = services(capsys)["tmdb"]["cache"]
    assert cache == {"ttl": 0.0, "entries": 0, "bytes": 0, **tally}


@pytest.mark.parametrize("command", [["services"], ["costs"], ["metrics", "summary"]], ids=" ".join)
def test_settings_of_a_service_nobody_brought_stop_the_look_at_services_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMBD__DAILY_QUOTA", "1")
    assert root.run(command) == endings.FAILED
    assert "CINEGRAPH_SERVICES__TMBD__DAILY_QUOTA (environment): no service 'tmbd'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["services", "quota", "set", "tmdb"], endings.WRONG_USAGE, "say which quota"),
        (["services", "quota", "set", "tmbd", "--daily", "5"], endings.WRONG_USAGE, "the nearest is 'tmdb'"),
        (["services", "breaker", "open", "tmbd"], endings.WRONG_USAGE, "the nearest is 'tmdb'"),
        (["services", "cache", "clear", "nosuch"], endings.WRONG_USAGE, "no service 'nosuch' is installed"),
        (["services", "cache", "clear", "tmdb", "--tag", ""], endings.WRONG_USAGE, "such as --tag film:603"),
        (["services", "cache", "clear", "tmdb", "--prefix="], endings.WRONG_USAGE, "such as --prefix /movie/603"),
        (["services", "cache", "clear", "tmdb", "--tag", "film:603", "--prefix", ""], endings.WRONG_USAGE, "leave --prefix out"),
        (["services", "quota", "set", "tmdb", "--daily", "-1"], endings.WRONG_USAGE, "--daily"),
        (["services", "quota", "set", "tmdb", "--hourly", "9" * 20], endings.WRONG_USAGE, "--hourly"),
    ],
)
def test_what_makes_no_sense_is_refused(
    database: Database, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert root.run(arguments) == code
    assert said in " ".join(capsys.readouterr().err.split())
    with database.reading() as session:
        assert recent_actions(session) == []


def test_what_is_paid_by_tokens_has_a_budget_that_services_and_costs_show(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__OMDB__DAILY_BUDGET_USD", "10")
    monkeypatch.setenv("CINEGRAPH_SERVICES__OMDB__PRICE_PER_MILLION_OUTPUT_TOKENS_USD", "50")
    spend(database, "omdb", "daily_budget", ceiling=10_000_000, units=500_000, used=4, reserved=1)
    assert services(capsys)["omdb"]["budget"] == {"spent_usd": 2.0, "reserved_usd": 0.5, "budget_usd": 10.0}
    (omdb,) = document(capsys, "costs")["costs"]
    assert (omdb["spent_usd"], omdb["reserved_usd"], omdb["budget_usd"]) == (2.0, 0.5, 10.0)
    assert omdb["forecast_usd"] == pytest.approx(8.0, rel=0.05)


def test_costs_tell_what_is_spent_reserved_and_to_be_expected(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert document(capsys, "costs") == {"costs": []}
    assert root.run(["costs"]) == endings.DONE
    assert "no service has a budget and a price; set CINEGRAPH_SERVICES__<NAME>__DAILY_BUDGET_USD" in capsys.readouterr().out
    monkeypatch.setenv("CINEGRAPH_SERVICES__OMDB__DAILY_BUDGET_USD", "10")
    monkeypatch.setenv("CINEGRAPH_SERVICES__OMDB__PRICE_PER_CALL_USD", "0.5")
    monkeypatch.setenv("CINEGRAPH_DAILY_BUDGET_USD", "20")
    spend(database, "omdb", "daily_budget", ceiling=10_000_000, units=500_000, used=4, reserved=1)
    omdb, total = document(capsys, "costs")["costs"]
    assert (omdb["service"], omdb["spent_usd"], omdb["reserved_usd"], omdb["budget_usd"]) == ("omdb", 2.0, 0.5, 10.0)
    assert omdb["forecast_usd"] == pytest.approx(8.0, rel=0.05)
    assert total == {"service": "all services", "spent_usd": 0.0, "reserved_usd": 0.0, "budget_usd": 20.0, "forecast_usd": 0.0}
    assert root.run(["costs"]) == endings.DONE
    assert "omdb" in capsys.readouterr().out


def test_a_service_of_ones_own_code_takes_words_by_hand(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert root.run(["services", "breaker", "open", "openai"]) == endings.WRONG_USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert "no service 'openai' is installed" in said
    assert "of your own code is known to the commands once CINEGRAPH_OWN_SERVICES names it" in said
    monkeypatch.setenv("CINEGRAPH_OWN_SERVICES", "openai")
    done = document(capsys, "services", "breaker", "open", "openai")
    assert (done["service"], done["what"]) == ("openai", "breaker")
    document(capsys, "services", "quota", "set", "openai", "--daily", "7")
    with database.reading() as session:
        assert {name for service, name in controls(session) if service == "openai"} == {"breaker_opened", "daily_quota"}
