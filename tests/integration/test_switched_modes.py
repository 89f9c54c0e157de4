"""A person's switch of a mode, or of a breaker, is every process's within a second, on both databases; real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinegraph_core.actions import open_breaker, reset_breaker, reset_mode, set_mode
from cinegraph_core.errors import CircuitOpenError
from cinegraph_core.storage.audit import recent_actions
from tests.support.clocks import PatientClock
from tests.support.fault_server import FaultServer
from tests.support.modes import ADAPTERS, NAME, REPLICA, SERVICE, mode_of, switchable
from tests.support.waiting import within

HOUR = 3600.0


def test_a_switch_is_felt_by_every_process_within_a_second_and_ends_by_itself(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    with switchable(tmp_path, server, database_url) as one, switchable(tmp_path, server, database_url) as other:
        assert other.ask().value == SERVICE
        change = set_mode(one.application.database, NAME, "mock", seconds=HOUR, clock=one.clock, who="anna")
        assert (change.before, change.after) == (
            {"mode": None, "until": None},
            {"mode": "mock", "until": "2023-11-14T23:13:20+00:00"},
        )
        assert within(1.0, lambda: mode_of(one) == mode_of(other) == "mock")
        for adapter in ADAPTERS:
            heard = other.ask(adapter)
            assert (heard.value, heard.provenance) == (REPLICA, "mock")
        with switchable(tmp_path, server, database_url) as later:
            assert mode_of(later) == "mock", "the first call of a new process keeps to it"
        other.clock.advance(HOUR - 0.25)
        assert other.ask().value == REPLICA
        other.clock.advance(0.25)
        for adapter in ADAPTERS:
            heard = other.ask(adapter)
            assert (heard.value, heard.provenance) == (SERVICE, "live")
        assert (mode_of(other), mode_of(one)) == ("real", "mock"), "each process goes by its own clock"
        with one.application.database.reading() as session:
            (row,) = recent_actions(session)
        assert (row.who, row.what, row.subject) == ("anna", "mode.set", NAME)


def test_a_switch_without_an_end_holds_until_it_is_reset(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    with switchable(tmp_path, server, database_url) as one, switchable(tmp_path, server, database_url) as other:
        set_mode(one.application.database, NAME, "mock", clock=one.clock)
        assert within(1.0, lambda: mode_of(other) == "mock")
        other.clock.advance(365 * 24 * HOUR)
        assert other.ask().value == REPLICA
        change = reset_mode(one.application.database, NAME, clock=one.clock)
        assert (change.before, change.after) == ({"mode": "mock", "until": None}, {"mode": None, "until": None})
        assert within(1.0, lambda: mode_of(other) == "real")
        assert other.ask().value == SERVICE
        with one.application.database.reading() as session:
            assert [row.what for row in recent_actions(session)] == ["mode.reset", "mode.set"]


def test_a_refused_service_can_be_stood_in_for_from_now_on(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    with switchable(tmp_path, server, database_url) as home:
        home.shut()
        assert isinstance(home.ask().error, CircuitOpenError)
        set_mode(home.application.database, NAME, "hybrid", clock=home.clock)
        assert within(1.0, lambda: mode_of(home) == "hybrid")
        assert [home.ask(adapter).provenance for adapter in ADAPTERS] == ["fallback"] * 3
        set_mode(home.application.database, NAME, "real", clock=home.clock)
        assert within(1.0, lambda: mode_of(home) == "real")
        assert isinstance(home.ask().error, CircuitOpenError)


def test_a_mock_run_may_ask_the_real_service_for_a_while_within_its_limits(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    with switchable(tmp_path, server, database_url, "mock", films={"daily_quota": 1}) as home:
        set_mode(home.application.database, NAME, "real", seconds=HOUR, clock=home.clock)
        assert within(1.0, lambda: mode_of(home) == "real")
        first, second = home.ask(), home.ask()
        assert (first.value, first.provenance) == (SERVICE, "live")
        assert "quota" in str(second.error)
        home.clock.advance(HOUR)
        assert home.ask().provenance == "mock"


def test_a_switch_to_a_replica_is_not_followed_in_production(
    server: FaultServer, tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with switchable(tmp_path, server, database_url, environment="production") as home:
        for mode in ("mock", "hybrid"):
            set_mode(home.application.database, NAME, mode, clock=home.clock)
            assert within(1.0, lambda mode=mode: f"switched to {mode} by hand, which is not followed here" in caplog.text)  # type: ignore[misc]
            assert mode_of(home) == "real"
            assert home.ask().value == SERVICE


def test_a_breaker_opened_by_hand_is_open_in_every_process_until_it_is_reset(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    with switchable(tmp_path, server, database_url) as one, switchable(tmp_path, server, database_url) as other:
        states = [home.application.services.breaker_state for home in (one, other)]
        change = open_breaker(one.application.database, NAME, clock=one.clock, who="anna")
        assert (change.before, change.after) == ({"state": "closed"}, {"state": "open"})
        assert within(1.0, lambda: [state(NAME) for state in states] == ["open", "open"])
        other.clock.advance(24 * HOUR)
        heard = other.ask()
        assert isinstance(heard.error, CircuitOpenError)
        assert "by hand" in str(heard.error)
        with switchable(tmp_path, server, database_url) as later:
            assert isinstance(later.ask().error, CircuitOpenError), "a process that starts later keeps to it"
        reset_breaker(one.application.database, NAME, clock=one.clock)
        assert within(1.0, lambda: [state(NAME) for state in states] == ["closed", "closed"])
        assert other.ask().value == SERVICE
        with switchable(tmp_path, server, database_url) as later:
            assert later.ask().value == SERVICE
        with one.application.database.reading() as session:
            assert [row.what for row in recent_actions(session)] == ["breaker.reset", "breaker.open"]


def test_the_later_word_about_a_breaker_counts_whatever_the_clocks_say(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    with switchable(tmp_path, server, database_url) as home:
        database, behind = home.application.database, PatientClock(home.clock.now() - 60.0)
        state = home.application.services.breaker_state
        open_breaker(database, NAME, clock=home.clock)
        assert within(1.0, lambda: state(NAME) == "open")
        reset_breaker(database, NAME, clock=behind)
        assert within(1.0, lambda: state(NAME) == "closed")
        open_breaker(database, NAME, clock=behind)
        assert within(1.0, lambda: state(NAME) == "open")


def test_lesson_28_a_replicas_kept_answer_does_not_become_the_services_another_day(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    kept = {"cache_ttl": 10_000.0}
    with switchable(tmp_path, server, database_url, films={"mode": "mock", **kept}) as home:
        assert [home.ask().provenance for _ in range(2)] == ["mock", "mock"]
        assert [(row.provenance, row.attempts) for row in home.rows] == [("mock", 1), ("mock", 0)]
    with switchable(tmp_path, server, database_url, films=kept) as home:
        heard = home.ask()
        assert (heard.value, heard.provenance) == (SERVICE, "live")
