"""The schema: up, twice, down and up again, on both databases, and what is said when it does not fit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from cinegraph_core.errors import DatabaseError, UsageError
from cinegraph_core.storage import Database
from cinegraph_core.storage.migrating import script_config
from cinegraph_core.storage.schema import revisions


def test_the_revisions_are_those_that_alembic_reads() -> None:
    found = [script.revision for script in ScriptDirectory.from_config(script_config()).walk_revisions()]
    assert revisions() == tuple(reversed(found))
    assert revisions()[0] == "0001"


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'films.db'}"
    opened = Database(url)
    opened.prepare("mock")
    opened.close()
    code = f"""
import sys
from cinegraph_core.storage import Database
Database({url!r}).prepare("mock")
print("alembic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


def _tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_lesson_32_migrations_run_twice_without_change_down_and_up_again(new_database_url: str) -> None:
    database = Database(new_database_url)
    assert database.current() is None
    assert database.check() == [f"the schema is at base, this version needs {database.head()}: run `cinegraph db upgrade`"]

    database.upgrade()
    tables = _tables(new_database_url)
    assert {"festivals", "api_lookup_metrics", "nomination_sources", "match_candidates"} <= tables
    database.upgrade()
    assert _tables(new_database_url) == tables
    assert database.current() == database.head()
    assert database.check() == []

    database.downgrade("base")
    assert _tables(new_database_url) == {"alembic_version"}
    assert database.current() is None
    database.upgrade()
    assert _tables(new_database_url) == tables
    assert database.check() == []
    database.close()


def test_check_names_a_table_and_a_column_that_are_not_as_the_code_needs_them(new_database_url: str) -> None:
    database = Database(new_database_url)
    database.upgrade()
    _execute(new_database_url, "DROP TABLE service_state")
    _execute(new_database_url, "ALTER TABLE films ADD COLUMN rating INTEGER")
    problems = database.check()
    database.close()
    assert len(problems) == 2
    assert any("service_state" in problem for problem in problems)
    assert any("rating" in problem for problem in problems)


def test_an_empty_database_is_made_ready_and_an_old_a_newer_or_a_foreign_one_is_refused(new_database_url: str) -> None:
    database = Database(new_database_url)
    database.prepare("mock")
    assert database.current() == database.head()
    _execute(new_database_url, "UPDATE alembic_version SET version_num = '9999'")
    work: Callable[[], None]
    for work in (lambda: database.prepare("mock"), database.upgrade, lambda: database.downgrade("base")):
        with pytest.raises(DatabaseError, match=r"written by another version .*9999.*install that version or a newer one"):
            work()
    assert "db upgrade" not in database.check()[0]
    database.close()


def test_another_programs_tables_stand_beside_ours_unless_their_names_are_ours(new_database_url: str) -> None:
    database = Database(new_database_url)
    _execute(new_database_url, "CREATE TABLE books (id INTEGER)")
    with pytest.raises(DatabaseError, match=r"tables that are not Cinegraph's.*cinegraph db upgrade"):
        database.prepare("mock")
    _execute(new_database_url, "CREATE TABLE films (id INTEGER)")
    work: Callable[[], None]
    for work in (lambda: database.prepare("mock"), database.upgrade):
        with pytest.raises(DatabaseError, match=r"another program .*\(films\): set CINEGRAPH_DATABASE_URL"):
            work()
    assert "db upgrade" not in database.check()[0]
    _execute(new_database_url, "DROP TABLE films")
    database.upgrade()
    assert database.check() != []
    database.prepare("mock")
    database.close()


def test_a_revision_nobody_knows_is_wrong_usage_and_those_there_are_get_named(new_database_url: str) -> None:
    database = Database(new_database_url)
    database.upgrade()
    with pytest.raises(UsageError, match=rf"'nonsense'.*there are: base, .*{Database.head()}"):
        database.downgrade("nonsense")
    database.close()


def test_two_processes_that_upgrade_at_once_take_turns(new_database_url: str, tmp_path: Path) -> None:
    script = "import sys; from cinegraph_core.storage import Database; Database(sys.argv[1]).prepare('mock')"
    command = [sys.executable, "-W", "error", "-c", script, new_database_url]
    processes = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    database = Database(new_database_url)
    assert database.check() == []
    database.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is not a database URL"),
        ("mysql://host/name", "'mysql'"),
        ("sqlite://", "must name a file"),
    ],
)
def test_a_url_that_cannot_work_is_refused_with_an_example(url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message) as caught:
        Database(url)
    assert "sqlite:///cinegraph.db" in str(caught.value)


def test_a_database_that_cannot_be_opened_says_which_and_hides_the_password(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'absent' / 'x.db'}")
    with pytest.raises(DatabaseError, match=r"absent/x\.db"):
        database.prepare("mock")
    database.close()

    database = Database("postgresql://me:hush@127.0.0.1:1/x")
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:1") as caught:
        database.prepare("mock")
    database.close()
    assert "hush" not in str(caught.value)
