"""One transaction for what belongs together: a failure at any point leaves nothing, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, func, select

from cinegraph_core import Candidate, Film, Match, ScoredCandidate
from cinegraph_core.errors import CinegraphError
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import store_edition
from cinegraph_core.storage.films import record_decision
from cinegraph_core.storage.tables import NominationSourceRow, Table
from tests.support.dump import natural_dump
from tests.support.editions import ALIASES, IMDB_LION, LION, NOW, edition, nomination


class Interrupted(Exception):
    """What these tests break off with."""


def store(session: Session) -> None:
    lion = LION | {"films": [Film("Twin", directors=("Ada Marin",))]}
    imdb = IMDB_LION | {"films": [Film("Twin", imdb_id="tt1")]}
    item = edition(nomination("a1", **lion, people=["Ada Marin"]), nomination("i1", **imdb), nomination("a2", award="Special"))
    store_edition(session, item, aliases=ALIASES, now=NOW)


def decide(session: Session) -> None:
    candidates = (ScoredCandidate(Candidate(5, "Twin", imdb_id="tt5"), 0.9), ScoredCandidate(Candidate(6, "Twins"), 0.2))
    match = Match("1", "matched", tmdb_id=5, imdb_id="tt5", score=0.9, candidates=candidates)
    record_decision(session, 1, match, mode="real", now=NOW)


def write(database: Database, work: Callable[[Session], None], *, break_at: int | None = None) -> int:
    """Do the work, broken off at a flush if one is named; returns how many flushes there were."""
    flushes = 0

    def count(*_: Any) -> None:
        nonlocal flushes
        flushes += 1
        if flushes == break_at:
            raise Interrupted

    with database.transaction() as session:
        event.listen(session, "before_flush", count)
        work(session)
    return flushes


def filled(database: Database) -> dict[str, int]:
    """Return the tables that hold anything, with how many rows."""
    with database.reading() as session:
        counts = {table.name: session.scalar(select(func.count()).select_from(table)) for table in Table.metadata.sorted_tables}
    return {name: number for name, number in counts.items() if number}


def test_lesson_36_an_edition_broken_off_at_any_point_leaves_no_row(database: Database, database_url: str, tmp_path: Any) -> None:
    rehearsal = Database(f"sqlite:///{tmp_path / 'rehearsal.db'}")
    rehearsal.prepare("real")
    flushes = write(rehearsal, store)
    rehearsal.close()
    assert flushes > 10
    for number in range(1, flushes + 1):
        with pytest.raises(Interrupted):
            write(database, store, break_at=number)
        assert filled(database) == {}, f"broken off at flush {number}"
    write(database, store)
    assert natural_dump(database_url) == natural_dump(f"sqlite:///{tmp_path / 'rehearsal.db'}")


def test_lesson_36_a_decision_broken_off_at_any_point_leaves_what_was_there(
    database: Database, database_url: str, tmp_path: Any
) -> None:
    rehearsal = Database(f"sqlite:///{tmp_path / 'rehearsal.db'}")
    rehearsal.prepare("real")
    write(rehearsal, store)
    flushes = write(rehearsal, decide)
    rehearsal.close()
    assert flushes >= 3
    write(database, store)
    before, rows = natural_dump(database_url), filled(database)
    for number in range(1, flushes + 1):
        with pytest.raises(Interrupted):
            write(database, decide, break_at=number)
        assert (natural_dump(database_url), filled(database)) == (before, rows), f"broken off at flush {number}"
    write(database, decide)
    assert natural_dump(database_url) == natural_dump(f"sqlite:///{tmp_path / 'rehearsal.db'}")


_LOSES_A_STATEMENT = {
    "sqlite": (
        "CREATE TRIGGER loses AFTER INSERT ON nomination_sources WHEN NEW.source_key = 'a2' "
        "BEGIN UPDATE nomination_sources SET withdrawn_at = '2026-01-01 00:00:00.000000' WHERE id = NEW.id; END",
    ),
    "postgresql": (
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.source_key = 'a2' THEN NEW.withdrawn_at = now(); END IF; RETURN NEW; END $$",
        "CREATE TRIGGER loses BEFORE INSERT ON nomination_sources FOR EACH ROW EXECUTE FUNCTION lose()",
    ),
}


def test_lesson_11_an_edition_of_which_a_statement_got_lost_is_not_stored(database: Database) -> None:
    """A database that quietly loses one of three statements: scraped is not stored, and it is said."""
    with database._engine.begin() as connection:
        for statement in _LOSES_A_STATEMENT[connection.dialect.name]:
            connection.execute(text(statement))
    with pytest.raises(CinegraphError, match="3 nominations were scraped and 2 stored"):
        write(database, store)
    assert filled(database) == {}
    with database._engine.begin() as connection:
        connection.execute(text("DROP TRIGGER loses" + (" ON nomination_sources" if connection.dialect.name != "sqlite" else "")))
    write(database, store)
    assert filled(database)[str(NominationSourceRow.__tablename__)] == 3
