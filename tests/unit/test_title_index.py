"""The local catalogue, found by normal form and by likeness: one contract for every engine, and never on the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz.distance import OSA

from cinegraph_core.matching import TitleIndex
from cinegraph_core.matching.catalogue.index import MOST_SIMILAR
from cinegraph_core.matching.catalogue.keys import key_of, trigrams
from cinegraph_core.records import Candidate
from cinegraph_replica.catalogue import load_catalogue as load_replica
from tests.support.catalogue import local
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


def test_a_title_is_found_however_it_is_printed(tmp_path: Path, engine: str) -> None:
    with local(tmp_path, FILMS, engine) as index:
        assert _same(index, "Pianiste, La") == _same(index, "PIANISTE") == [1]
        assert _same(index, "le fabuleux destin d’amelie poulain") == [2]
        assert _same(index, "Rocky 2") == [3]
        assert _same(index, "Зеркало") == [4]
        assert _same(index, "…") == [7]
        assert _same(index, "Rocky") == _same(index, "") == _same(index) == []


def test_a_double_title_is_found_by_either_half(tmp_path: Path, engine: str) -> None:
    with local(tmp_path, FILMS, engine) as index:
        assert _same(index, "La Pianiste (The Piano Teacher)") == [1]


def test_namesakes_come_all_the_best_known_first_and_undated(tmp_path: Path, engine: str) -> None:
    with local(tmp_path, FILMS, engine) as index:
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
def test_a_slip_of_the_pen_is_forgiven(tmp_path: Path, engine: str, printed: str, film: int) -> None:
    with local(tmp_path, FILMS, engine) as index:
        assert _same(index, printed) == [] or printed == "Konafer i strid"
        assert _similar(index, printed)[:1] == [film]


def _slipped(title: str) -> str:
    """The title without the middle letter of its longest word."""
    longest = max(title.split(), key=len)
    half = len(longest) // 2
    return title.replace(longest, longest[:half] + longest[half + 1 :], 1)


def test_a_letter_left_out_of_a_real_title_is_forgiven(tmp_path: Path, engine: str) -> None:
    listed = [Film(number, film.original) for number, film in load_replica().by_tmdb_id.items()]
    # A slip in a short one may spoil every trigram, and a sign of Chinese stands for several letters.
    films = [film for film in listed if min(len(key_of(film.title)), len(film.title)) >= 9]
    assert len(films) > 100
    with local(tmp_path, listed, engine) as index:
        missed = [film.title for film in films if film.id not in _similar(index, _slipped(film.title))]
    assert missed == []


def test_what_is_far_off_is_not_similar(tmp_path: Path, engine: str) -> None:
    with local(tmp_path, FILMS, engine) as index:
        assert _similar(index, "The Piano") == []
        assert _similar(index, "Xy") == _similar(index, "") == _similar(index, '"OR" ""') == []


def test_only_a_few_similar_films_are_named_the_likest_first(tmp_path: Path, engine: str) -> None:
    many = [Film(number, f"Silent Night {chr(96 + number)}") for number in range(1, 20)]
    with local(tmp_path, [*many, Film(40, "Silent Knihgt")], engine) as index:
        found = _similar(index, "Silent Knihgtt")
        assert found[0] == 40
        assert len(found) == MOST_SIMILAR


def test_the_likest_film_is_found_among_thousands_that_share_its_beginning(tmp_path: Path, engine: str) -> None:
    """Only what is rare in a title may decide which films are compared with it."""
    beginning = "The Return of the Living Dead from the Depths of the Forgotten Northern Sea"
    films = [Film(number, f"{beginning} {number if number != 1500 else 'Daguerreotype'}") for number in range(1, 3000)]
    with local(tmp_path, films, engine) as index:
        assert _similar(index, f"{beginning} Dagereotype")[:1] == [1500]


def test_searches_do_not_hold_the_event_loop(tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a search is under way, which takes as long as it likes, the loop goes on; and it runs in another thread."""
    threads: list[int] = []
    released = threading.Event()
    original = OSA.normalized_similarity

    def slow(*arguments: Any, **more: Any) -> float:
        threads.append(threading.get_ident())
        assert released.wait(10)
        return original(*arguments, **more)

    monkeypatch.setattr(OSA, "normalized_similarity", slow)

    async def run(index: TitleIndex) -> tuple[int, Sequence[Candidate]]:
        search = asyncio.ensure_future(index.similar(["La Pianitse"]))
        turns = 0
        while not search.done() and (turns <= 50 or not threads):
            await asyncio.sleep(0)
            turns += 1
        assert not search.done()
        released.set()
        return turns, await search

    with local(tmp_path, FILMS, engine) as index:
        turns, found = asyncio.run(run(index))
    assert turns > 50
    assert _ids(found) == [1]
    assert threads
    assert threads[0] != threading.get_ident()


def test_many_searches_at_once_answer_each_its_own_question(tmp_path: Path, engine: str) -> None:
    typos = {"La Pianitse": 1, "Le Fabuleux Destin d'Amelie Polain": 2, "Kona ferr i strid": 8, "Зерккало": 4}

    async def run(index: TitleIndex) -> list[Sequence[Candidate]]:
        return await asyncio.gather(*(index.similar([title]) for title in [*typos] * 10))

    with local(tmp_path, FILMS, engine) as index:
        assert [_ids(found)[:1] for found in asyncio.run(run(index))] == [[film] for film in typos.values()] * 10


def test_any_title_in_gives_an_answer(tmp_path: Path, engine: str) -> None:
    odd = ["\ud800", "'; DROP TABLE films; --", '"', "%", "*", "a\x00b", "NEAR(a b)", "🎬🎬🎬", "x" * 5000]
    with local(tmp_path, FILMS, engine) as index:
        for title in odd:
            assert _same(index, title) == []
            assert _similar(index, title) == []


def test_trigrams_are_those_of_the_normal_form() -> None:
    assert trigrams(key_of("The Piano")) == ["pia", "ian", "ano"]
    assert trigrams(key_of("M")) == []
