"""Reviews, metrics and the schema from the command line, on both kinds of database."""

from __future__ import annotations

import getpass
import os
import pty
import sys

import pytest

from cinegraph_core import Candidate, Match, Measurement, ScoredCandidate, endings
from cinegraph_core.cli import root
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.editions import store_edition
from cinegraph_core.storage.films import pending_films, record_decision
from cinegraph_core.storage.metrics import insert_measurements
from tests.support.cli import document
from tests.support.editions import ALIASES, FETCHED, NOW, edition, nomination


@pytest.fixture
def film(database: Database) -> int:
    """A film in review with two candidates."""
    candidates = (
        ScoredCandidate(Candidate(7, "Macbeth", year=1971), 0.5, ("same title",)),
        ScoredCandidate(Candidate(8, "Macbeth", year=2015), 0.5, ("same title",)),
    )
    match = Match("1", "review", reason="ambiguous", candidates=candidates, provenance="mock")
    with database.transaction() as session:
        store_edition(session, edition(nomination("m", films=["Macbeth"])), aliases=ALIASES, now=NOW)
        (waiting,) = pending_films(session, now=NOW)
        return record_decision(session, waiting, match, mode="mock", now=NOW)


def test_a_review_is_listed_shown_and_accepted_with_an_audit_row(
    database: Database, film: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (waiting,) = document(capsys, "review", "list")["review"]
    assert (waiting["id"], waiting["title"], waiting["reason"]) == (film, "Macbeth", "ambiguous")
    assert [one["tmdb_id"] for one in document(capsys, "review", "show", str(film))["candidates"]] == [7, 8]
    change = document(capsys, "review", "accept", str(film), "--tmdb", "8")
    assert (change["before"]["status"], change["after"]["status"], change["after"]["tmdb_id"]) == ("review", "matched", 8)
    assert change["after"]["decided_by"] == change["who"] == getpass.getuser()
    assert document(capsys, "review", "list") == {"review": []}
    with database.reading() as session:
        (row,) = recent_actions(session)
    assert (row.who, row.what, row.after["tmdb_id"]) == (getpass.getuser(), "review.accept", 8)


def test_a_rejected_film_is_not_found_and_never_asked_for_again(
    database: Database, film: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert root.run(["review", "reject", str(film)]) == endings.DONE
    assert "Macbeth: review (TMDb none) → not_found (TMDb none)" in capsys.readouterr().out
    with database.reading() as session:
        assert pending_films(session, now=NOW + 10**9) == []
        assert recent_actions(session)[0].what == "review.reject"


def test_a_typo_in_the_id_is_refused_and_a_merge_or_a_stranger_is_said(
    database: Database, film: int, capsys: pytest.CaptureFixture[str]
) -> None:
    other = nomination("h", award="P", films=["Hamlet"])
    with database.transaction() as session:
        store_edition(session, edition(other, festival="cannes"), aliases=ALIASES, now=NOW)
        (hamlet,) = pending_films(session, now=NOW)
        record_decision(session, hamlet, Match("2", "matched", tmdb_id=9, provenance="mock"), mode="mock", now=NOW)
    assert root.run(["review", "accept", str(film), "--tmdb", "9"]) == endings.WRONG_USAGE
    captured = capsys.readouterr()
    assert f"film {hamlet} 'Hamlet'" in captured.err
    assert captured.out == ""
    assert root.run(["review", "accept", str(film), "--tmdb", "9", "--merge"]) == endings.DONE
    captured = capsys.readouterr()
    assert f"merged with film {hamlet}" in captured.out
    assert "TMDb 9 was not among the candidates" in captured.err


def test_films_that_were_not_found_can_be_listed_with_the_ids_to_decide_by(
    database: Database, film: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.transaction() as session:
        store_edition(session, edition(nomination("h", films=["Hamlet"]), festival="cannes"), aliases=ALIASES, now=NOW)
        (hamlet,) = pending_films(session, now=NOW)
        record_decision(session, hamlet, Match("2", "not_found", provenance="mock"), mode="mock", now=NOW)
    assert [one["id"] for one in document(capsys, "review", "list", "--status", "not_found")["review"]] == [hamlet]
    assert [one["id"] for one in document(capsys, "review", "list")["review"]] == [film]
    assert root.run(["review", "list", "--status", "not_found"]) == endings.DONE
    assert "Not found (1)" in capsys.readouterr().out


def test_the_tables_of_reviews_name_what_a_person_needs(
    film: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert root.run(["review", "list"]) == endings.DONE
    listed = capsys.readouterr().out
    assert root.run(["review", "show", str(film)]) == endings.DONE
    shown = capsys.readouterr().out
    assert "Macbeth" in listed
    assert "same title" in shown
    assert "1971" in shown
    assert "MOCK data" in listed
    assert "MOCK data" in shown
    assert max(map(len, (listed + shown).splitlines())) <= 80


@pytest.mark.parametrize("arguments", [["show", "9"], ["accept", "9", "--tmdb", "1"], ["reject", "9"], ["accept", "9"]])
def test_a_film_that_is_not_there_is_wrong_usage(
    database: Database, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert root.run(["review", *arguments]) == endings.WRONG_USAGE
    assert capsys.readouterr().out == ""


def test_metrics_summary_counts_calls_only_and_names_the_silent(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: FETCHED.timestamp() + 3600)
    rows = [
        Measurement("tmdb", "search_movie", "Joker (2019)", success, FETCHED, attempts=1, response_time_ms=ms)
        for success, ms in ((True, 10.0), (True, 20.0), (False, 90.0))
    ]
    lookup = Measurement("tmdb", "lookup", "Joker (2019)", success=False, inserted_at=FETCHED, kind="lookup")
    with database.transaction() as session:
        insert_measurements(session, [*rows, lookup])
    sources = {row["source"]: row for row in document(capsys, "metrics", "summary", "--hours", "2")["sources"]}
    tmdb = sources["tmdb"]
    assert (tmdb["calls"], tmdb["ok"], tmdb["p50_ms"], tmdb["avg_ms"]) == (3, 2, 20.0, 40.0)
    assert sources["venice"]["status"] == "unknown"
    names = {"source", "calls", "ok", "success_rate", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "status"}
    assert all(names <= set(row) for row in sources.values())
    late = document(capsys, "metrics", "summary", "--hours", "0.5")["sources"]
    assert {row["status"] for row in late} == {"unknown"}
    assert root.run(["metrics", "summary", "--hours", "2"]) == endings.DONE
    assert "66.7%" in capsys.readouterr().out


def test_lesson_32_the_schema_goes_up_twice_and_down_and_up(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    needed = Database.head()
    for _ in range(2):
        assert document(capsys, "db", "upgrade") == {"current": needed, "needed": needed, "problems": []}
    assert document(capsys, "db", "check")["problems"] == []
    assert document(capsys, "db", "downgrade", "base", "--yes")["current"] is None
    assert root.run(["db", "check"]) == endings.FAILED
    captured = capsys.readouterr()
    assert "cinegraph db upgrade" in captured.err
    assert root.run(["db", "downgrade", "nonsense", "--yes"]) == endings.WRONG_USAGE
    assert document(capsys, "db", "upgrade")["current"] == needed


@pytest.mark.parametrize(("answer", "code"), [("y\n", endings.DONE), ("n\n", endings.FAILED), ("\n", endings.FAILED)])
def test_a_downgrade_at_a_terminal_names_what_is_lost_and_asks(
    database: Database, film: int, answer: str, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin:
        os.write(main, answer.encode())
        monkeypatch.setattr(sys, "stdin", stdin)
        assert root.run(["db", "downgrade", "base"]) == code
    os.close(main)
    captured = capsys.readouterr()
    told = captured.out + captured.err
    assert "1 nominations" in told
    assert "1 films" in told
    assert (database.current() is None) == (code == endings.DONE)
    assert ("nothing was changed" in told) == (code == endings.FAILED)


def test_a_downgrade_without_a_terminal_needs_a_yes(
    database: Database, film: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert root.run(["db", "downgrade", "base"]) == endings.WRONG_USAGE
    told = capsys.readouterr().err
    assert "1 films" in told
    assert "--yes" in told
    assert database.current() == Database.head()


def test_doctor_is_content_with_a_database_that_is_ready(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    findings = {one["check"]: one for one in document(capsys, "doctor")["findings"]}
    assert findings["database"]["status"] == "ok"
    assert {"installation", "settings", "plugins", "keys", "replica", "record", "matching"} <= set(findings)
    assert all(set(one) == {"check", "status", "message", "remedy"} for one in findings.values())
