"""The local catalogue: found by normal form and by likeness, replaced whole or not at all, never on the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cinegraph_core.errors import ConfigurationError, UsageError
from cinegraph_core.matching import TitleIndex, title_index
from cinegraph_core.matching.title_index import MOST_SIMILAR, key_of, read_about, trigrams
from cinegraph_core.matching.title_loading import load_catalogue
from cinegraph_core.records import Candidate
from tests.support.catalogue import NOW, export, line, local
from tests.support.tmdb_server import Film

FILMS = [
    Film(1, "The Piano Teacher", original_title="La Pianiste"),
    Film(2, "Amélie", original_title="Le Fabuleux Destin d'Amélie Poulain", popularity=9.0),
    Film(3, "Rocky II"),
    Film(4, "Mirror", original_title="Зеркало"),
    Film(5, "Mother", popularity=2.0),
    Film(6, "Mother", popularity=5.0),
    Film(7, "…"),
    Film(8, "Woman at War", original_title="Kona fer í stríð"),
]


def _ids(found: Sequence[Candidate]) -> list[int]:
    return [candidate.tmdb_id for candidate in found]


def _same(index: TitleIndex, *titles: str) -> list[int]:
    return _ids(asyncio.run(index.same_title(titles)))


def _similar(index: TitleIndex, *titles: str) -> list[int]:
    return _ids(asyncio.run(index.similar(titles)))


def test_a_title_is_found_however_it_is_printed(tmp_path: Path) -> None:
    with local(tmp_path, FILMS) as index:
        assert _same(index, "Pianiste, La") == _same(index, "PIANISTE") == [1]
        assert _same(index, "le fabuleux destin d’amelie poulain") == [2]
        assert _same(index, "Rocky 2") == [3]
        assert _same(index, "Зеркало") == [4]
        assert _same(index, "…") == [7]
        assert _same(index, "Rocky") == _same(index, "") == _same(index) == []


def test_a_double_title_is_found_by_either_half(tmp_path: Path) -> None:
    with local(tmp_path, FILMS) as index:
        assert _same(index, "La Pianiste (The Piano Teacher)") == [1]


def test_namesakes_come_all_the_best_known_first_and_undated(tmp_path: Path) -> None:
    with local(tmp_path, FILMS) as index:
        assert _same(index, "Mother") == [6, 5]
        found = asyncio.run(index.same_title(["Mother"]))
        assert [(one.year, one.directors, one.detailed) for one in found] == [(None, (), False)] * 2


@pytest.mark.parametrize(
    ("printed", "film"),
    [
        ("Le Fabuleux Destin d'Amelie Polain", 2),
        ("La Pianitse", 1),
        ("Kona ferr i strid", 8),
        ("Konafer i strid", 8),
        ("Зерккало", 4),
    ],
)
def test_a_slip_of_the_pen_is_forgiven(tmp_path: Path, printed: str, film: int) -> None:
    with local(tmp_path, FILMS) as index:
        assert _same(index, printed) == [] or printed == "Konafer i strid"
        assert _similar(index, printed)[:1] == [film]


def test_what_is_far_off_is_not_similar(tmp_path: Path) -> None:
    with local(tmp_path, FILMS) as index:
        assert _similar(index, "The Piano") == []
        assert _similar(index, "Xy") == _similar(index, "") == _similar(index, '"OR" ""') == []


def test_only_a_few_similar_films_are_named_the_likest_first(tmp_path: Path) -> None:
    many = [Film(number, f"Silent Night {chr(96 + number)}") for number in range(1, 20)]
    with local(tmp_path, [*many, Film(40, "Silent Knihgt")]) as index:
        found = _similar(index, "Silent Knihgtt")
        assert found[0] == 40
        assert len(found) == MOST_SIMILAR


def test_searches_do_not_hold_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a search is under way, which takes as long as it likes, the loop goes on; and it runs in another thread."""
    threads: list[int] = []
    released = threading.Event()
    original = title_index.trigrams

    def slow(key: str) -> list[str]:
        threads.append(threading.get_ident())
        assert released.wait(10)
        return original(key)

    monkeypatch.setattr(title_index, "trigrams", slow)

    async def run(index: TitleIndex) -> tuple[int, Sequence[Candidate]]:
        search = asyncio.ensure_future(index.similar(["La Pianitse"]))
        turns, until = 0, time.monotonic() + 0.1
        while time.monotonic() < until:
            await asyncio.sleep(0)
            turns += 1
        assert not search.done()
        released.set()
        return turns, await search

    with local(tmp_path, FILMS) as index:
        turns, found = asyncio.run(run(index))
    assert turns > 50
    assert _ids(found) == [1]
    assert threads
    assert threads[0] != threading.get_ident()


def test_films_not_for_everybody_are_left_out(tmp_path: Path) -> None:
    lines = [line(1, "One"), line(2, "Two", adult=True), "", line(3, "")]
    about = load_catalogue(export(lines), "typed", tmp_path / "c.db", now=NOW)
    assert (about.films, about.source, about.loaded_at) == (1, "typed", "2023-11-14T22:13:20+00:00")


def test_an_unzipped_list_from_a_file_is_taken_and_loading_twice_is_loading_once(tmp_path: Path) -> None:
    source, target = tmp_path / "movie_ids.json", tmp_path / "deep" / "er" / "c.db"
    source.write_text("\n".join([line(1, "One"), line(2, "Two"), line(1, "Once")]), encoding="utf-8")
    steps: list[None] = []
    first = load_catalogue(source, "x", target, now=NOW, advance=lambda: steps.append(None))
    assert load_catalogue(source, "x", target, now=NOW) == first == read_about(target)
    assert first.films == 2
    assert [path.name for path in target.parent.iterdir()] == ["c.db"]


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
def test_a_wrong_or_torn_list_is_told_with_its_line_and_the_old_catalogue_stays(tmp_path: Path, source: bytes, said: str) -> None:
    with local(tmp_path, FILMS) as index:
        path = tmp_path / "catalogue.db"
        before = path.read_bytes()
        with pytest.raises(UsageError, match=said):
            load_catalogue(source, "new.json.gz", path, now=NOW)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
        assert _same(index, "La Pianiste") == [1]


def test_a_catalogue_in_use_may_be_replaced(tmp_path: Path) -> None:
    with local(tmp_path, FILMS) as old:
        assert _same(old, "La Pianiste") == [1]
        with local(tmp_path, [Film(9, "La Pianiste")]) as new:
            assert _same(new, "La Pianiste") == [9]
        assert _same(old, "La Pianiste") == [1]
        assert _similar(old, "La Pianitse") == [1]


def test_a_file_of_another_kind_or_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    path.write_text("no database")
    with pytest.raises(ConfigurationError, match=r"cannot be read.*cinegraph catalogue load"):
        TitleIndex(path)
    path.unlink()
    load_catalogue(export([line(1, "One")]), "typed", path, now=NOW)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE about SET value = '0-old' WHERE name = 'fingerprint'")
    connection.close()
    with pytest.raises(ConfigurationError, match=r"another version.*cinegraph catalogue load"):
        TitleIndex(path)


def test_any_title_in_gives_an_answer(tmp_path: Path) -> None:
    odd = ["\ud800", "'; DROP TABLE films; --", '"', "%", "*", "a\x00b", "NEAR(a b)", "🎬🎬🎬", "x" * 5000]
    with local(tmp_path, FILMS) as index:
        for title in odd:
            assert _same(index, title) == []
            assert _similar(index, title) == []


def test_trigrams_are_those_of_the_normal_form() -> None:
    assert trigrams(key_of("The Piano")) == ["pia", "ian", "ano"]
    assert trigrams(key_of("M")) == []
