"""With a local catalogue: one request where a director settles it, help against typos, and no new way to be wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from cinegraph_core.matching import TitleIndex
from cinegraph_core.records import FilmQuery
from tests.support.catalogue import local
from tests.support.matching import Run, cascade_over, query
from tests.support.tmdb_server import Film, TmdbServer, serving

PIANIST = Film(1, "The Piano Teacher", 2001, original_title="La Pianiste", directors=("Michael Haneke",), imdb_id="tt1")


def _looked_up(folder: Path, films: Sequence[Film], asked: FilmQuery, *, gone: frozenset[int] = frozenset()) -> Run:
    """Look a film up with a catalogue of all films, of which TMDb has lost some since."""
    left = [film for film in films if film.id not in gone]
    with serving(TmdbServer(left, gone=gone)) as server, local(folder, films) as index:
        run = Run(server)

        async def go(index: TitleIndex) -> None:
            async with cascade_over(run, catalogue=index) as cascade:
                run.matches = [await cascade.match(asked, explain=True)]

        asyncio.run(go(index))
    return run


def test_a_listed_original_title_costs_one_request_and_no_search(tmp_path: Path) -> None:
    run = _looked_up(tmp_path, [PIANIST], query("Pianiste, La", 2001, "Michael Haneke"))
    assert (run.match.status, run.match.tmdb_id, run.match.level, run.match.api_calls) == ("matched", 1, 3, 1)
    assert run.server.searches() == []
    assert [row.operation for row in run.of_kind("level")] == ["fallback_exact_title_year"]


def test_without_a_director_namesakes_that_the_catalogue_hides_are_searched_for(tmp_path: Path) -> None:
    """The list knows original titles alone: another film may be known by this one in translation."""
    rival = Film(2, "La Pianiste", 2001, original_title="Klavieristka", directors=("Somebody Else",))
    run = _looked_up(tmp_path, [PIANIST, rival], query("La Pianiste", 2001))
    assert run.match.status == "review"
    assert run.match.reason == "ambiguous"
    assert {one.candidate.tmdb_id for one in run.match.candidates} == {1, 2}


def test_a_director_who_made_the_film_again_is_not_enough(tmp_path: Path) -> None:
    first = Film(1, "Nightwatch", 1994, original_title="Nattevagten", directors=("Ole Marin",))
    again = Film(2, "Nightwatch", 1997, directors=("Ole Marin",))
    run = _looked_up(tmp_path, [first, again], query("Nightwatch", 1994, "Ole Marin"))
    assert (run.match.status, run.match.tmdb_id) == ("matched", 1)


def test_without_a_year_a_suggestion_is_not_taken_on_its_word(tmp_path: Path) -> None:
    first = Film(1, "Nightwatch", 1994, original_title="Nattevagten", directors=("Ole Marin",))
    again = Film(2, "Nightwatch", 1997, directors=("Ole Marin",))
    run = _looked_up(tmp_path, [first, again], query("Nightwatch", None, "Ole Marin"))
    assert [search["query"] for search in run.server.searches()] == ["Nightwatch"]


def test_listed_namesakes_are_told_apart_by_their_details(tmp_path: Path) -> None:
    names = ("Ada Marin", "Luc Brandt")
    namesakes = [Film(n, "The Castle", 1990 + n, directors=(name,), popularity=n) for n, name in enumerate(names, start=1)]
    run = _looked_up(tmp_path, namesakes, query("The Castle", 1991, "Ada Marin"))
    assert (run.match.status, run.match.tmdb_id) == ("matched", 1)
    assert run.server.searches() == []
    assert run.match.api_calls == 2


def test_of_many_namesakes_a_search_that_knows_their_years_finds_the_right_one(tmp_path: Path) -> None:
    namesakes = [Film(n, "Mother", 1980 + n, directors=(f"Person {n}",)) for n in range(1, 9)]
    run = _looked_up(tmp_path, namesakes, query("Mother", 1985, "Person 5"))
    assert (run.match.status, run.match.tmdb_id, run.match.api_calls) == ("matched", 5, 2)


def test_what_suggestions_cost_is_not_taken_from_the_search(tmp_path: Path) -> None:
    wrong = [Film(n, "Parade", 1950 + n, directors=(f"Other {n}",), popularity=9.0) for n in (1, 2)]
    right = Film(9, "Parade", 2001, original_title="Sfilata", directors=("Ada Marin",))
    run = _looked_up(tmp_path, [*wrong, right], query("Parade", 2001, "Ada Marin"))
    assert (run.match.status, run.match.tmdb_id) == ("matched", 9)


def test_a_typo_that_defeats_the_search_is_forgiven(tmp_path: Path) -> None:
    run = _looked_up(tmp_path, [PIANIST], query("La Pianste", 2001, "Michael Haneke"))
    assert (run.match.status, run.match.tmdb_id, run.match.level) == ("matched", 1, 5)
    assert run.of_kind("level")[-1].operation == "fallback_fuzzy_title"


def test_a_title_that_some_film_bears_is_not_taken_for_a_misspelt_one(tmp_path: Path) -> None:
    """Shark Tale and Shark Tales are two films."""
    films = [Film(1, "Shark Tales", 1990, directors=("A B",)), Film(2, "Shark Tale", 2004, directors=("C D",))]
    run = _looked_up(tmp_path, films, query("Shark Tale", 1990, "Nobody Known"))
    assert run.match.status != "matched"
    assert "/3/movie/1" not in run.server.details()


def test_a_film_listed_that_is_gone_from_tmdb_is_none(tmp_path: Path) -> None:
    run = _looked_up(tmp_path, [PIANIST], query("La Pianiste", 2001, "Michael Haneke"), gone=frozenset({1}))
    assert run.match.status == "not_found"


def test_the_levels_say_what_they_asked_and_found(tmp_path: Path) -> None:
    run = _looked_up(tmp_path, [PIANIST], query("La Pianste", 2001, "Michael Haneke"))
    explanation = run.match.explanation
    assert explanation is not None
    levels = {tried.strategy: tried for tried in explanation.levels}
    assert [tried.level for tried in explanation.levels] == [1, 2, 3, 4, 5]
    assert levels["exact_title_year"].asked == ("search_movie /search/movie query=La Pianste",)
    assert (levels["direct_imdb"].asked, levels["exact_title_year"].found) == ((), ())
    assert levels["fuzzy_title"].asked == ("movie_details /movie/1",)
    assert (levels["fuzzy_title"].found, levels["fuzzy_title"].verified, levels["fuzzy_title"].accepted) == ((1,), (1,), True)
    assert sum(tried.api_calls for tried in explanation.levels) == run.match.api_calls == len(run.server.asked)
    (weighed,) = explanation.candidates
    assert weighed.parts["directors"] > 0
    assert weighed.candidate.tmdb_id == 1
