"""Transactions, the writer thread, times and stamps, on both databases."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session, select

from cinegraph_core.errors import DatabaseError
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions, record_action
from cinegraph_core.storage.stamp import stamped
from cinegraph_core.storage.state import record_transition, service_states
from cinegraph_core.storage.tables import AuditRow, EditionRow, FestivalRow

NOW = 1_700_000_000.0


def _add(session: Session, key: str) -> str:
    session.add(FestivalRow(key=key))
    return threading.current_thread().name


def _keys(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.exec(select(FestivalRow.key)))


def _add_twice(database: Database) -> None:
    with database.transaction() as session:
        _add(session, "venice")
        session.flush()
        _add(session, "venice")


def test_lesson_36_what_belongs_together_is_written_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(IntegrityError):
        _add_twice(database)
    assert _keys(database) == []


def test_foreign_keys_are_enforced(database: Database) -> None:
    moment = datetime.fromtimestamp(NOW, UTC)
    row = EditionRow(festival_id=99, year=2024, status="complete", provenance="mock", stored_at=moment, updated_at=moment)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(row)


def test_run_works_on_one_writer_thread_and_never_on_the_event_loop(database: Database) -> None:
    async def main() -> list[str]:
        return await asyncio.gather(*(database.run(_add, f"festival{number}") for number in range(20)))

    threads = set(asyncio.run(main()))
    assert len(threads) == 1
    assert threads != {threading.current_thread().name}
    assert len(_keys(database)) == 20


def test_threads_that_write_at_once_all_succeed(database: Database) -> None:
    def write(number: int) -> None:
        with database.transaction() as session:
            assert session.get(FestivalRow, 1) is None or number >= 0
            _add(session, f"festival{number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_keys(database)) == 8


def test_times_are_aware_utc_in_and_out_and_a_naive_one_is_refused(database: Database) -> None:
    there = datetime(2024, 9, 7, 20, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.transaction() as session:
        session.add(AuditRow(who="ada", what="test", subject="x", at=there))
    with database.reading() as session:
        found = session.exec(select(AuditRow.at)).one()
    assert found == there
    assert found.tzinfo is UTC
    assert found.hour == 18
    with pytest.raises(StatementError, match="no zone"), database.transaction() as session:
        session.add(AuditRow(who="ada", what="test", subject="x", at=datetime(2024, 9, 7)))  # noqa: DTZ001


def test_the_first_write_stamps_the_database_and_reading_does_not(database: Database) -> None:
    with database.transaction() as session:
        assert session.exec(select(FestivalRow)).all() == []
    with database.reading() as session:
        assert stamped(session) is None
    with database.transaction() as session:
        _add(session, "venice")
    with database.reading() as session:
        assert stamped(session) == "live"


@pytest.mark.parametrize(("first", "second"), [("mock", "real"), ("mock", "hybrid"), ("real", "mock"), ("hybrid", "mock")])
def test_a_database_of_the_other_mode_is_refused_naming_both_settings(database_url: str, first: str, second: str) -> None:
    database = Database(database_url)
    database.prepare(first)  # type: ignore[arg-type]
    asyncio.run(database.run(_add, "venice"))
    database.close()
    other = Database(database_url)
    with pytest.raises(DatabaseError, match=r"CINEGRAPH_MODE.*CINEGRAPH_DATABASE_URL"):
        other.prepare(second)  # type: ignore[arg-type]
    other.close()


def test_of_two_processes_that_opened_an_empty_database_only_the_first_to_write_may(new_database_url: str) -> None:
    mock, live = Database(new_database_url), Database(new_database_url)
    mock.prepare("mock")
    live.prepare("real")
    with mock.transaction() as session:
        _add(session, "venice")
    with pytest.raises(DatabaseError, match="holds mock data"), live.transaction() as session:
        _add(session, "cannes")
    assert _keys(live) == ["venice"]
    mock.close()
    live.close()


def test_the_latest_word_about_a_breaker_stays_whichever_arrives_last(database: Database) -> None:
    with database.transaction() as session:
        record_transition(session, "tmdb", "open", changed_at=NOW, retry_at=NOW + 60)
        record_transition(session, "tmdb", "half_open", changed_at=NOW + 60, retry_at=None)
        record_transition(session, "tmdb", "open", changed_at=NOW + 1, retry_at=NOW + 61)
    with database.reading() as session:
        state = service_states(session)["tmdb"]
        assert (state.breaker_state, state.retry_at) == ("half_open", None)
        assert state.changed_at == datetime.fromtimestamp(NOW + 60, UTC)


def test_actions_are_kept_newest_first(database: Database) -> None:
    with database.transaction() as session:
        for number, what in enumerate(("breaker.reset", "quota.set")):
            record_action(session, who="ada", what=what, subject="tmdb", before={"n": number}, after={}, now=NOW + number)
    with database.reading() as session:
        assert [(row.what, row.before) for row in recent_actions(session)] == [
            ("quota.set", {"n": 1}),
            ("breaker.reset", {"n": 0}),
        ]


def test_a_folder_in_which_no_file_can_be_written_is_told_with_its_remedy() -> None:
    database = Database("sqlite:////proc/films.db")
    with pytest.raises(DatabaseError, match=r"cannot be opened.*see that /proc is a folder .* CINEGRAPH_DATABASE_URL"):
        database.prepare("mock")
    database.close()


@pytest.mark.parametrize("work", ["prepare", "check", "upgrade"])
def test_a_file_that_is_no_database_is_told_with_its_remedy(tmp_path: Path, work: str) -> None:
    path = tmp_path / "notes.db"
    path.write_text("Buy milk. " * 500)
    database = Database(f"sqlite:///{path}")
    does = {"prepare": lambda: database.prepare("mock"), "check": database.check, "upgrade": database.upgrade}[work]
    with pytest.raises(DatabaseError, match=r"notes\.db.*not a database.*CINEGRAPH_DATABASE_URL"):
        does()
    database.close()
    assert path.read_text() == "Buy milk. " * 500
