"""``cinegraph match --pending`` and films that are parked: says until when, and skips, waits or asks as it is told."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.records import Match
from cinegraph_core.services.rules import moment
from cinegraph_core.storage import Database
from cinegraph_core.storage.films import decision_of
from tests.support.decisions import decide, films

TITLES = ("The Room Next Door", "Queer")


@pytest.fixture
def database(database: Database) -> Database:
    films(database, *TITLES)
    return database


def park(database: Database, seconds: float) -> float:
    """Park both films for so many seconds; return until when."""
    until = time.time() + seconds
    parked = Match("x", "error", error_type="quota_exceeded", parked_until=until, provenance="mock")
    for film in (1, 2):
        decide(database, film, parked, mode="mock", now=time.time())
    return until


def statuses(database: Database) -> list[str]:
    with database.reading() as session:
        return [decision.status for film in (1, 2) if (decision := decision_of(session, film)) is not None]


def test_parked_films_are_skipped_and_it_says_until_when(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    until = park(database, 3600)
    assert root.run(["match", "--pending", "--json"]) == endings.DONE
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (sum(found["decided"].values()), found["left"], found["parked"]) == (0, 0, 2)
    assert datetime.fromisoformat(found["parked_until"]).timestamp() == pytest.approx(until, abs=0.001)
    assert f"2 films are parked until a quota or budget begins anew, the first at {moment(until)}" in said.err
    assert statuses(database) == ["parked"] * 2


def test_parked_films_are_asked_for_at_once_if_a_person_says_so(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    park(database, 3600)
    assert root.run(["match", "--pending", "--parked", "ask", "--limit", "1"]) == endings.DONE
    assert statuses(database) == ["matched", "parked"]
    assert root.run(["match", "--pending", "--parked", "ask"]) == endings.DONE
    assert statuses(database) == ["matched"] * 2
    assert "parked" not in capsys.readouterr().err.rpartition("begins anew")[2].replace("--parked", "")


def test_parked_films_are_waited_for_if_a_person_says_so(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    until = park(database, 3.0)
    assert root.run(["match", "--pending", "--parked", "wait", "--json"]) == endings.DONE
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "decided": {"matched": 2, "review": 0, "not_found": 0, "error": 0},
        "left": 0,
        "parked": 0,
        "parked_until": None,
    }
    assert f"2 films are parked; waiting until {moment(until)}" in said.err
    assert time.time() >= until


def test_what_to_do_with_parked_films_is_a_question_of_pending_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["match", "--title", "Maria", "--parked", "ask"]) == endings.WRONG_USAGE
    assert "--parked" in capsys.readouterr().err
