"""``cinegraph services mode`` and ``breaker open``: a switch for a time, audited, and shown; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.records import Mode
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.controls import controls, set_control
from tests.support.cli import document


@pytest.fixture
def mode() -> Mode:
    return "real"


def shown(capsys: pytest.CaptureFixture[str], name: str) -> dict[str, Any]:
    return next(one for one in document(capsys, "services")["services"] if one["name"] == name)


def mode_of(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["mode"], one["configured_mode"], one["until"]


def audited(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(row.what, row.subject) for row in recent_actions(session)]


def test_a_mode_is_set_for_a_time_shown_and_taken_back(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert mode_of(shown(capsys, "tmdb")) == ("real", "real", None)
    before = datetime.now(UTC)
    change = document(capsys, "services", "mode", "set", "tmdb", "mock", "--for", "1h")
    assert (change["before"], change["after"]["mode"]) == ({"mode": None, "until": None}, "mock")
    until = datetime.fromisoformat(change["after"]["until"])
    assert timedelta(hours=1) - timedelta(seconds=1) <= until - before <= timedelta(hours=1, seconds=60)
    assert mode_of(shown(capsys, "tmdb")) == ("mock", "real", change["after"]["until"])
    assert mode_of(shown(capsys, "omdb")) == ("real", "real", None)
    assert root.run(["services"]) == endings.DONE
    assert f"tmdb is switched to mock until {change['after']['until']}; the settings say real" in capsys.readouterr().out
    assert document(capsys, "services", "mode", "reset", "tmdb")["after"] == {"mode": None, "until": None}
    assert mode_of(shown(capsys, "tmdb")) == ("real", "real", None)
    assert audited(database) == [("mode.reset", "tmdb"), ("mode.set", "tmdb")]


def test_without_a_time_it_holds_until_it_is_reset(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["services", "mode", "set", "tmdb", "hybrid"]) == endings.DONE
    assert "mode of tmdb: mode as set → mode hybrid, by" in capsys.readouterr().out
    assert mode_of(shown(capsys, "tmdb")) == ("hybrid", "real", None)
    assert root.run(["services"]) == endings.DONE
    assert "tmdb is switched to hybrid until it is reset; the settings say real" in capsys.readouterr().out


def test_what_has_ended_is_not_shown(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    document(capsys, "services", "mode", "set", "tmdb", "mock", "--for", "1h")
    with database.transaction() as session:
        word = controls(session)["tmdb", "mode"]
        set_control(session, "tmdb", "mode", word - 4 * 3_600_000, now=0.0)
    assert mode_of(shown(capsys, "tmdb")) == ("real", "real", None)


def test_a_breaker_is_opened_by_hand_shown_and_reset(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    change = document(capsys, "services", "breaker", "open", "tmdb")
    assert (change["before"], change["after"]) == ({"state": "closed"}, {"state": "open"})
    assert shown(capsys, "tmdb")["breaker"] == {"state": "open", "retry_at": None}
    assert document(capsys, "services", "breaker", "reset", "tmdb")["before"] == {"state": "open"}
    assert shown(capsys, "tmdb")["breaker"]["state"] == "closed"
    assert audited(database) == [("breaker.reset", "tmdb"), ("breaker.open", "tmdb")]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["for people", "for programs"])
def test_a_breaker_that_the_settings_hold_open_is_not_said_to_be_closed(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__BREAKER_MODE", "open")
    assert root.run(["services", "breaker", "reset", "tmdb", *options]) == endings.FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert "CINEGRAPH_SERVICES__TMDB__BREAKER_MODE=open keeps the breaker of tmdb open" in said.err
    assert audited(database) == []
    assert shown(capsys, "tmdb")["breaker"]["state"] == "open"
    assert root.run(["services", "breaker", "reset", "omdb"]) == endings.DONE, "no other service's"
    capsys.readouterr()
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__BREAKER_MODE", "auto")
    assert document(capsys, "services", "breaker", "reset", "tmdb")["after"] == {"state": "closed"}
    assert shown(capsys, "tmdb")["breaker"]["state"] == "closed"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["tmbd", "mock"], endings.WRONG_USAGE, "the nearest is 'tmdb'"),
        (["tmdb", "fake"], endings.WRONG_USAGE, "'fake' is not one of"),
        (["tmdb", "mock", "--for", "soon"], endings.WRONG_USAGE, "write it like 90s, 30m, 2h or 1d"),
    ],
)
def test_what_makes_no_sense_is_refused(
    database: Database, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert root.run(["services", "mode", "set", *arguments]) == code
    assert said in " ".join(capsys.readouterr().err.split())
    assert audited(database) == []


def test_a_mode_without_a_replica_is_refused(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_DISABLE_PLUGINS", "replica")
    assert root.run(["services", "mode", "set", "tmdb", "mock"]) == endings.FAILED
    assert "mock mode needs a replica of tmdb" in capsys.readouterr().err
    assert audited(database) == []


@pytest.mark.parametrize(("mode", "said"), [("mock", "made up"), ("hybrid", "CINEGRAPH_MOCK_FALLBACK=false")])
def test_lesson_28_in_production_nothing_is_switched_to_a_replica(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, mode: str, said: str
) -> None:
    monkeypatch.setenv("CINEGRAPH_ENVIRONMENT", "production")
    assert root.run(["services", "mode", "set", "tmdb", mode, "--for", "1h"]) == endings.FAILED
    assert said in " ".join(capsys.readouterr().err.split())
    assert audited(database) == []
    monkeypatch.setenv("CINEGRAPH_MOCK_FALLBACK", "false")
    assert root.run(["services", "mode", "set", "tmdb", "hybrid"]) == endings.DONE


def test_lesson_28_doctor_says_that_production_and_a_replica_do_not_go_together(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_ENVIRONMENT", "production")
    monkeypatch.setenv("CINEGRAPH_SERVICES__OMDB__MODE", "mock")
    assert root.run(["doctor"]) == endings.FAILED
    assert "CINEGRAPH_SERVICES__OMDB__MODE=mock: CINEGRAPH_ENVIRONMENT=production" in " ".join(capsys.readouterr().out.split())
