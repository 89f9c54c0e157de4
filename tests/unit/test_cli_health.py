"""``cinegraph services`` and ``doctor`` tell how services do; ``services check`` asks where nobody knows; on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cinegraph_core import Measurement, endings
from cinegraph_core.cli import root
from cinegraph_core.services.breakers import FORGOTTEN
from cinegraph_core.storage import Database
from cinegraph_core.storage.health import last_health
from cinegraph_core.storage.metrics import insert_measurements
from cinegraph_core.storage.state import record_transition
from tests.support.cli import document
from tests.support.sql import ask, do


def record(database: Database, service: str, *ends: Any, ms: float = 50.0) -> None:
    """Leave a call a second ago for each end: an error type, or ``None`` for a success."""
    now = datetime.now(UTC)
    rows = [
        Measurement(
            service, "search_movie", "x", success=end is None, inserted_at=now, attempts=1, response_time_ms=ms, error_type=end
        )
        for end in ends
    ]
    with database.transaction() as session:
        insert_measurements(session, rows)


def services(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return {one["name"]: one for one in document(capsys, "services")["services"]}


BREAK = {
    "sqlite": ["create trigger full before insert on service_controls begin select raise(abort, 'the disk is full'); end"],
    "postgresql": [
        "create function refuse() returns trigger language plpgsql as 'begin raise exception ''the disk is full''; end'",
        "create trigger full_disk before insert on service_controls execute function refuse()",
    ],
}
"""What keeps a database from taking writes, by the kind of its URL."""


def findings(capsys: pytest.CaptureFixture[str], code: int, check: str) -> list[tuple[str, str]]:
    """Run the doctor; return status and message of what one check found."""
    assert root.run(["doctor", "--json"]) == code
    return [(one["status"], one["message"]) for one in json.loads(capsys.readouterr().out)["findings"] if one["check"] == check]


def test_the_doctor_writes_and_leaves_nothing_behind(
    database: Database, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ((status, message),) = findings(capsys, endings.DONE, "database")
    assert (status, message.endswith("takes writes")) == ("ok", True)
    assert ask(database_url, "select count(*) from service_controls, database_stamp") == [(0,)]
    do(database_url, *BREAK[database_url.partition(":")[0].partition("+")[0]])
    ((status, message),) = findings(capsys, endings.FAILED, "database")
    assert (status, "the disk is full" in message) == ("error", True)


@pytest.mark.parametrize(
    ("breaker_mode", "retry", "state", "told"),
    [
        ("open", None, "open", "open until it is reset"),
        ("open", 60.0, "open", "open until it is reset"),
        ("auto", 60.0, "open", "open until its next probe at "),
        ("auto", -60.0, "half_open", "half_open"),
        ("auto", -2 * FORGOTTEN, "closed", None),
        ("shadow", 60.0, "closed", None),
    ],
)
def test_a_breaker_is_in_one_state_whoever_shows_it(
    database: Database,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    breaker_mode: str,
    retry: float | None,
    state: str,
    told: str | None,
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__BREAKER_MODE", breaker_mode)
    now = datetime.now(UTC).timestamp()
    if retry is not None:
        with database.transaction() as session:
            record_transition(session, "tmdb", "open", changed_at=now + min(retry, 0) - 60, retry_at=now + retry)
    tmdb = services(capsys)["tmdb"]
    is_open = tmdb["health"]["reason"].startswith("its breaker is open")
    assert (tmdb["breaker"]["state"], is_open) == (state, state == "open")
    assert (tmdb["breaker"]["retry_at"] is not None) == (breaker_mode == "auto" and state == "open")
    found = [message for _, message in findings(capsys, endings.DONE, "breakers")]
    assert [message.startswith(f"tmdb: the breaker is {told}") for message in found] == [True] * (told is not None)


def test_services_tell_their_health_and_its_reason(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    record(database, "tmdb", *[None] * 15)
    record(database, "omdb", *["timeout"] * 15, None)
    with database.transaction() as session:
        record_transition(session, "venice", "open", changed_at=datetime.now(UTC).timestamp(), retry_at=None)
    found = services(capsys)
    assert found["tmdb"]["health"] | {"checked_at": None} == {
        "status": "healthy",
        "reason": "15 of 15 calls in the last 5 minutes answered",
        "basis": "traffic",
        "avg_ms": 50.0,
        "calls": 15,
        "failed": 0,
        "checked_at": None,
    }
    assert {name: one["health"]["status"] for name, one in found.items()} == {
        "imdb": "unknown",
        "imdb_graphql": "unknown",
        "omdb": "down",
        "tmdb": "healthy",
        "tmdb_files": "unknown",
        "venice": "down",
    }
    assert found["tmdb"]["patterns"] == []

    assert root.run(["services"]) == endings.DONE
    lines = capsys.readouterr().out.splitlines()
    assert next(line.split() for line in lines if line.startswith(" omdb"))[:2] == ["omdb", "down"]
    assert next(line.split()[0] for line in lines if " down " in line or " healthy " in line) in ("omdb", "venice"), "worst first"
    assert any("its breaker is open" in line for line in lines)


def test_patterns_are_told_by_services_and_by_the_doctor(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    record(database, "tmdb", *["timeout"] * 30, ms=5000.0)
    (errors, slow) = services(capsys)["tmdb"]["patterns"]
    assert (errors["kind"], errors["figures"]) == ("error_rate", {"failed": 30, "calls": 30})
    assert slow["kind"] == "slow"
    assert root.run(["services"]) == endings.DONE
    assert "▲ tmdb: 30 of 30 calls in the last 5 minutes failed, mostly timeout, since" in capsys.readouterr().out
    told = [one for one in document(capsys, "doctor")["findings"] if one["check"] == "traffic"]
    assert [one["status"] for one in told] == ["warning", "warning"]
    assert "tmdb: 30 of 30 calls in the last 5 minutes failed" in told[0]["message"]


def test_a_check_asks_who_has_no_traffic_and_tells_what_it_cost(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__OMDB__PRICE_PER_CALL_USD", "0.25")
    record(database, "tmdb", *[None] * 15)
    found = document(capsys, "services", "check", "tmdb", "omdb", "imdb_graphql")
    one = {each["service"]: each for each in found["checked"]}
    assert (found["requests"], found["cost_usd"]) == (1, 0.25)
    assert {name: (each["status"], each["basis"]) for name, each in one.items()} == {
        "tmdb": ("healthy", "traffic"),
        "omdb": ("healthy", "probe"),
        "imdb_graphql": ("unknown", "nothing"),
    }
    with database.reading() as session:
        assert set(last_health(session)) == {"tmdb", "omdb", "imdb_graphql"}
    omdb = services(capsys)["omdb"]["health"]
    assert omdb["status"] == "healthy"
    assert omdb["reason"].startswith("answered a probe in")

    assert root.run(["services", "check", "omdb"]) == endings.DONE
    said = capsys.readouterr().out
    assert "answered a probe in" in said
    assert "requests sent: 1, cost: $0.2500" in said


def test_a_check_of_a_service_nobody_brought_is_refused(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["services", "check", "tmbd"]) == endings.WRONG_USAGE
    assert "the nearest is 'tmdb'" in capsys.readouterr().err


def test_a_watch_writes_a_line_for_every_look(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cinegraph_core.clock.SystemClock.sleep", interrupted)
    record(database, "tmdb", *[None] * 15)
    assert root.run(["services", "check", "tmdb", "--watch", "--json"]) == endings.INTERRUPTED
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["checked"][0]["status"] == "healthy"
