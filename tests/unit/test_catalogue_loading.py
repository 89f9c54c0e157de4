"""Loading the local catalogue: whole or not at all, with any engine; what is open goes on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cinegraph_core.errors import ConfigurationError, UsageError
from cinegraph_core.matching import TitleIndex
from cinegraph_core.matching.catalogue import export as lists
from cinegraph_core.matching.catalogue import load_catalogue, loading
from cinegraph_core.matching.catalogue.engines import ENGINES, engine_named
from cinegraph_core.matching.catalogue.file import read_about, size_of
from tests.support.catalogue import NOW, export, line, local
from tests.support.tmdb_server import Film

FILMS = [Film(1, "La Pianiste"), Film(2, "Zerkalo")]
_MODULE = "cinegraph_core.matching.catalogue.with_tantivy"


@pytest.fixture
def _no_tantivy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tantivy", None)
    monkeypatch.delitem(sys.modules, _MODULE, raising=False)


def _same(index: TitleIndex, title: str) -> list[int]:
    return [found.tmdb_id for found in asyncio.run(index.same_title([title]))]


def _similar(index: TitleIndex, title: str) -> list[int]:
    return [found.tmdb_id for found in asyncio.run(index.similar([title]))]


def _left(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_films_not_for_everybody_are_left_out(tmp_path: Path) -> None:
    lines = [line(1, "One"), line(2, "Two", adult=True), "", line(3, "")]
    about = load_catalogue(export(lines), "typed", tmp_path / "c.db", now=NOW)
    assert (about.films, about.source, about.loaded_at) == (1, "typed", "2023-11-14T22:13:20+00:00")


def test_an_unzipped_list_from_a_file_is_taken_and_loading_twice_leaves_one_catalogue(tmp_path: Path, engine: str) -> None:
    source, target = tmp_path / "movie_ids.json", tmp_path / "deep" / "er" / "c.db"
    source.write_text("\n".join([line(1, "One"), line(2, "Two"), line(1, "Once")]), encoding="utf-8")
    load_catalogue(source, "x", target, now=NOW, engine=engine)
    about = load_catalogue(source, "x", target, now=NOW, engine=engine)
    assert about == read_about(target)
    assert (about.films, about.engine) == (2, engine)
    assert {path.name for path in target.parent.iterdir()} == {"c.db", about.folder} - {""}
    assert size_of(target, about) == sum(map(len, _left(target.parent).values()))


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "STEP", 2)
    steps: list[None] = []
    lines = [line(number, f"Film {number}") for number in range(5)]
    load_catalogue(export(lines), "x", tmp_path / "c.db", now=NOW, advance=lambda: steps.append(None))
    assert len(steps) == 2


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (export([line(1, "One"), '{"id": 2, "name": "A Person"}']), "line 2: this is no film .*original_title.*movie_ids_"),
        (export([line(1, "One"), "<html>"]), "line 2: this is no film"),
        (export([line(number, f"Film {number}") for number in range(2000)])[:-2000], "torn after line"),
        (export([line(1, "One")])[:-4], "torn after line"),
        (b"\x1f\x8bno gzip at all", "torn after line 0"),
        (b"", "lists no film"),
        (export([line(1, "One", adult=True)]), "lists no film"),
    ],
)
def test_a_wrong_or_torn_list_is_told_with_its_line_and_the_old_catalogue_stays(
    tmp_path: Path, engine: str, source: bytes, said: str
) -> None:
    with local(tmp_path, FILMS, engine) as index:
        before = _left(tmp_path)
        with pytest.raises(UsageError, match=said):
            load_catalogue(source, "new.json.gz", tmp_path / "catalogue.db", now=NOW, engine=engine)
        assert _left(tmp_path) == before
        assert _same(index, "La Pianiste") == [1]


def _interrupted() -> None:
    raise KeyboardInterrupt


def test_an_interrupt_while_the_list_is_read_leaves_the_old_catalogue(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "STEP", 1)
    with local(tmp_path, FILMS, engine):
        before = _left(tmp_path)
        with pytest.raises(KeyboardInterrupt):
            load_catalogue(
                export([line(9, "Nine")]), "x", tmp_path / "catalogue.db", now=NOW, engine=engine, advance=_interrupted
            )
        assert _left(tmp_path) == before


def test_an_interrupt_while_the_engine_writes_leaves_the_old_catalogue(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = engine_named(engine)

    def written_in_vain(films: sqlite3.Connection, folder: Path) -> None:
        real.write(films, folder)
        raise KeyboardInterrupt

    with local(tmp_path, FILMS, engine):
        before = _left(tmp_path)
        monkeypatch.setattr(loading, "engine_named", lambda _name: replace(real, write=written_in_vain))
        with pytest.raises(KeyboardInterrupt):
            load_catalogue(export([line(9, "Nine")]), "x", tmp_path / "catalogue.db", now=NOW, engine=engine)
        assert _left(tmp_path) == before


@pytest.mark.parametrize("other", list(ENGINES))
def test_a_catalogue_in_use_may_be_replaced(tmp_path: Path, engine: str, other: str) -> None:
    with local(tmp_path, FILMS, engine) as old, local(tmp_path, [Film(9, "La Pianiste")], other) as new:
        for _ in range(4):
            assert (_same(old, "La Pianiste"), _similar(old, "La Pianitse")) == ([1], [1])
            assert (_same(new, "La Pianiste"), _similar(new, "La Pianitse")) == ([9], [9])
        assert {path.name for path in tmp_path.iterdir()} == {"catalogue.db", new.about.folder} - {""}


def test_a_copy_that_is_replaced_leaves_the_folder_to_its_original(tmp_path: Path) -> None:
    with local(tmp_path, FILMS, "tantivy") as original:
        shutil.copy(tmp_path / "catalogue.db", tmp_path / "copy.db")
        load_catalogue(export([line(9, "Nine")]), "x", tmp_path / "copy.db", now=NOW)
        assert (tmp_path / original.about.folder).is_dir()


def test_a_file_of_another_kind_or_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    path.write_text("no database")
    with pytest.raises(ConfigurationError, match=r"cannot be read.*cinegraph catalogue load"):
        TitleIndex(path)
    path.unlink()
    load_catalogue(export([line(1, "One")]), "typed", path, now=NOW)
    _say(path, fingerprint="0-old")
    with pytest.raises(ConfigurationError, match=r"another version.*cinegraph catalogue load"):
        TitleIndex(path)


def _say(path: Path, **facts: str) -> None:
    with sqlite3.connect(path) as connection:
        for name, value in facts.items():
            connection.execute("UPDATE about SET value = ? WHERE name = ?", (value, name))
    connection.close()


def test_a_catalogue_without_its_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    about = load_catalogue(export([line(1, "One")]), "typed", path, now=NOW, engine="tantivy")
    shutil.rmtree(tmp_path / about.folder)
    with pytest.raises(ConfigurationError, match=r"cannot be read.*cinegraph catalogue load"):
        TitleIndex(path)


def test_an_engine_unknown_to_this_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    load_catalogue(export([line(1, "One")]), "typed", path, now=NOW)
    _say(path, engine="lucene")
    with pytest.raises(ConfigurationError, match=r"no engine 'lucene'.*fts5 and tantivy"):
        TitleIndex(path)


@pytest.mark.usefixtures("_no_tantivy")
def test_an_engine_that_is_not_installed_says_how_to_install_it_and_the_old_catalogue_stays(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    with local(tmp_path, FILMS):
        before = _left(tmp_path)
        with pytest.raises(ConfigurationError, match=r"tantivy .* not installed.*pip install '\.\[tantivy\]'"):
            load_catalogue(export([line(9, "Nine")]), "x", path, now=NOW, engine="tantivy")
        assert _left(tmp_path) == before
    _say(path, engine="tantivy")
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[tantivy\]', or load with --engine fts5"):
        TitleIndex(path)
