"""``cinegraph catalogue``: from a file or through the door, told about, and used by the next match."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.storage import Database
from cinegraph_core.storage.tables import MetricRow
from tests.support.catalogue import export, line

ADDRESS = "http://files.tmdb.org/p/exports/movie_ids_05_15_2026.json.gz"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEGRAPH_MODE", "mock")
    return tmp_path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = endings.DONE) -> dict[str, Any]:
    assert root.run([*arguments, "--json"]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_file_is_loaded_beside_the_database_and_shown(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "movie_ids.json.gz").write_bytes(export([line(1, "One"), line(2, "Two")]))
    loaded = _run(capsys, "catalogue", "load", "movie_ids.json.gz")["catalogue"]
    assert (loaded["films"], loaded["source"], loaded["usable"]) == (2, "movie_ids.json.gz", True)
    assert loaded["file"] == "cinegraph-mock-catalogue.db"
    assert (folder / loaded["file"]).stat().st_size == loaded["bytes"]
    assert _run(capsys, "catalogue", "status")["catalogue"] == loaded


def test_the_engine_is_chosen_once_and_kept_until_another_is_named(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "movie_ids.json.gz").write_bytes(export([line(1, "One"), line(2, "Two")]))
    load = ("catalogue", "load", "movie_ids.json.gz")
    assert _run(capsys, *load)["catalogue"]["engine"] == "fts5"
    loaded = _run(capsys, *load, "--engine", "tantivy")["catalogue"]
    assert (loaded["engine"], loaded["usable"]) == ("tantivy", True)
    assert (
        loaded["bytes"]
        == sum(file.stat().st_size for file in folder.glob("*-catalogue.db*/**/*") if file.is_file())
        + (folder / loaded["file"]).stat().st_size
    )
    assert _run(capsys, *load)["catalogue"]["engine"] == "tantivy"
    assert _run(capsys, "catalogue", "status")["catalogue"]["engine"] == "tantivy"
    assert _run(capsys, *load, "--engine", "fts5")["catalogue"]["engine"] == "fts5"
    assert [path.name for path in folder.glob("*-catalogue.db*")] == [loaded["file"]]


def test_an_engine_that_is_not_installed_is_told_and_stops_no_match(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tantivy", None)
    monkeypatch.delitem(sys.modules, "cinegraph_core.matching.catalogue.with_tantivy", raising=False)
    (folder / "movie_ids.json.gz").write_bytes(export([line(1, "One")]))
    remedy = "pip install '.[tantivy]'"
    assert root.run(["catalogue", "load", "movie_ids.json.gz", "--engine", "tantivy"]) != endings.DONE
    assert remedy in capsys.readouterr().err
    assert not list(folder.glob("*catalogue*"))
    file = _run(capsys, "catalogue", "load", "movie_ids.json.gz")["catalogue"]["file"]
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE about SET value = 'tantivy' WHERE name = 'engine'")
    connection.close()
    assert root.run(["catalogue", "status", "--json"]) == endings.DONE
    printed = capsys.readouterr()
    assert json.loads(printed.out)["catalogue"]["usable"] is False
    assert remedy in printed.err
    assert root.run(["match", "--title", "Poor Things", "--year", "2023", "--json"]) == endings.DONE
    printed = capsys.readouterr()
    assert json.loads(printed.out)["status"] == "matched"
    assert "goes on without the local catalogue" in printed.err
    assert remedy in printed.err


def test_without_a_catalogue_there_is_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["catalogue", "status", "--json"]) == endings.NOTHING_TO_DO
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"catalogue": None}
    assert "cinegraph catalogue load" in printed.err


def test_an_address_is_fetched_through_the_door_and_the_next_match_uses_the_list(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert _run(capsys, "catalogue", "load", ADDRESS)["catalogue"]["films"] > 100
    found = _run(capsys, "match", "--title", "Poor Things", "--year", "2023", "--director", "Yorgos Lanthimos", "--explain")
    assert (found["status"], found["api_calls"]) == ("matched", 1)
    database = Database("sqlite:///cinegraph-mock.db")
    with database.reading() as session:
        calls = [row for row in session.exec(select(MetricRow)) if row.kind == "call"]
    database.close()
    assert [(row.source, row.operation, row.success) for row in calls] == [
        ("tmdb_files", "fetch_export", True),
        ("tmdb", "movie_details", True),
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://example.org/movie_ids.json.gz", "is not under http://files.tmdb.org"),
        ("nowhere.json.gz", "there is no file nowhere.json.gz"),
        ("torn.json.gz", "torn after line"),
    ],
)
def test_what_cannot_be_loaded_is_told_and_nothing_is_left(
    capsys: pytest.CaptureFixture[str], folder: Path, source: str, said: str
) -> None:
    (folder / "torn.json.gz").write_bytes(export([line(1, "One")])[:-4])
    assert root.run(["catalogue", "load", source]) == endings.WRONG_USAGE
    assert said in capsys.readouterr().err
    assert not list(folder.glob("*catalogue*"))


def test_a_broken_catalogue_is_told_and_stops_no_match(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broken.db").write_text("no catalogue")
    monkeypatch.setenv("CINEGRAPH_CATALOGUE", "broken.db")
    assert root.run(["catalogue", "status"]) == endings.WRONG_USAGE
    assert "broken.db is no catalogue" in capsys.readouterr().err
    assert root.run(["match", "--title", "Poor Things", "--year", "2023", "--json"]) == endings.DONE
    printed = capsys.readouterr()
    assert json.loads(printed.out)["status"] == "matched"
    assert "goes on without the local catalogue" in printed.err
