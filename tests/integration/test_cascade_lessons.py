"""What the earlier systems got wrong in matching, one test each, over the real door."""

from __future__ import annotations

from typing import Any

import pytest

from cinegraph_core.contracts import Matcher
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_core.testing import fresh_plugins
from tests.support.matching import looked_up, query
from tests.support.tmdb_server import Film, TmdbServer

ARIEL = Film(2, "Ariel", 1988, directors=("Aki Kaurismäki",), imdb_id="tt0094675", runtime=72)


@pytest.mark.parametrize(
    "namesake",
    [
        Film(9, "Ariel (Remastered)", 1988, directors=("Somebody Else",), popularity=99),
        Film(9, "Ariel", 2009, directors=("Somebody Else",), popularity=99),
        Film(9, "Ariel Rises", 1988, directors=("Somebody Else",), popularity=99),
    ],
)
def test_lesson_04_a_first_hit_is_not_an_answer(namesake: Film) -> None:
    assert looked_up([namesake], query("Ariel", 1988, "Aki Kaurismäki")).match.status != "matched"
    assert looked_up([namesake, ARIEL], query("Ariel", 1988, "Aki Kaurismäki")).match.tmdb_id == ARIEL.id


def test_lesson_05_levels_that_cannot_be_accepted_are_not_run() -> None:
    asked = query("Ariel: The Director's Dream", 1988, "Aki Kaurismäki")
    every = looked_up([ARIEL], asked)
    confident = looked_up([ARIEL], asked, MATCHING__MIN_CONFIDENCE="0.7")
    assert {row.operation for row in every.of_kind("level")} > {row.operation for row in confident.of_kind("level")}
    assert not {row.fallback_level for row in confident.of_kind("level")} & {5, 6}
    assert confident.match.api_calls < every.match.api_calls


def test_lesson_05_the_highest_level_is_a_number_not_a_count() -> None:
    misspelt = query("Arieel", 1988, "Aki Kaurismäki", imdb_id="tt9999999")
    by_id = looked_up([ARIEL], misspelt, MATCHING__MAX_FALLBACK_LEVEL="2")
    without = looked_up([ARIEL], query("Arieel", 1988, "Aki Kaurismäki"), MATCHING__MAX_FALLBACK_LEVEL="2")
    assert {row.fallback_level for row in by_id.of_kind("level")} == {1, 2}
    assert {row.fallback_level for row in without.of_kind("level")} == {2}


def test_lesson_05_a_film_of_a_level_that_is_not_wanted_is_a_question() -> None:
    late = query("Ariel", 1987, "Aki Kaurismäki")
    assert looked_up([ARIEL], late).match.level == 4
    either: tuple[dict[str, Any], ...] = ({"MATCHING__MAX_FALLBACK_LEVEL": "3"}, {"MATCHING__MIN_CONFIDENCE": "0.8"})
    for limits in either:
        match = looked_up([ARIEL], late, **limits).match
        assert (match.status, match.reason) == ("review", "low_score")
        assert match.candidates[0].candidate.tmdb_id == ARIEL.id


@pytest.mark.parametrize("where", ["original_title", "titles", "translations"])
def test_lesson_06_every_title_of_a_film_is_compared(where: str) -> None:
    known: dict[str, object] = (
        {"original_title": "Kuolleet lehdet"} if where == "original_title" else {where: ("Kuolleet lehdet",)}
    )
    film = Film(986280, "Fallen Leaves", 2023, directors=("Aki Kaurismäki",), **known)  # type: ignore[arg-type]
    for directors in (("Aki Kaurismäki",), ()):
        match = looked_up([film], query("Kuolleet lehdet", 2023, *directors)).match
        assert (match.status, match.tmdb_id, match.level) == ("matched", film.id, 2)


@pytest.mark.parametrize(
    "title",
    [
        "Tom & Jerry",
        "#Alive",
        "1+1=11",
        "What? Where? 100%",
        "Покаяние",
        "千と千尋の神隠し",
        "기생충",
        "كفرناحوم",
        "Ο Θίασος",
        "רכבת לחיים",
        "मदर इंडिया",
        "Cafe\u0301 Lumie\u0300re",
        "Größenwahn",
        "Nausicaä / Наусика",
    ],
)
def test_lesson_07_a_title_reaches_the_service_whole_in_any_script(title: str) -> None:
    run = looked_up([Film(5, title, 2020)], query(title, 2020))
    assert run.match.tmdb_id == 5
    assert run.match.level == 2


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        ((401, '{"status_code": 7, "status_message": "Invalid API key", "success": false}'), "auth_error"),
        ((429, '{"status_code": 25, "status_message": "Too many", "success": false}'), "rate_limit"),
        ((503, '{"status_code": 9, "status_message": "Offline", "success": false}'), "server_error"),
        ((200, "<html>captive portal</html>"), "invalid_response"),
        ((404, "<html>captive portal</html>"), "invalid_response"),
        ((200, '{"results": "none"}'), "invalid_response"),
    ],
)
@pytest.mark.parametrize("answers_before", [0, 1, 2])
def test_lesson_08_an_outage_is_never_not_found(failure: tuple[int, str], error_type: str, answers_before: int) -> None:
    asked = query("Unknown Film: A Tale", 1988, "Aki Kaurismäki", imdb_id="tt0000009")
    server = TmdbServer([ARIEL], fail_from=answers_before, failure=failure)
    run = looked_up([], asked, server=server)
    assert (run.match.status, run.match.error_type, run.match.tmdb_id) == ("error", error_type, None)
    assert run.match.error_message
    (lookup,) = run.of_kind("lookup")
    assert (lookup.success, lookup.error_type) == (False, error_type)
    assert looked_up([ARIEL], asked).match.status == "not_found"


def test_lesson_09_a_series_is_not_a_film() -> None:
    server = TmdbServer([], series={"tt0944947": "Ariel"})
    match = looked_up([], query("Ariel", None, imdb_id="tt0944947"), server=server).match
    assert (match.status, match.reason) == ("review", "contradiction")
    assert "a series, not a film" in match.candidates[0].why


def test_lesson_09_a_short_is_not_the_feature_of_its_name() -> None:
    short = Film(8, "Ariel", 1988, runtime=9)
    assert looked_up([short], query("Ariel", 1988, runtime_minutes=72)).match.status == "review"


def test_lesson_10_a_tie_is_a_question_whatever_is_popular() -> None:
    twins = [Film(1, "Macbeth", 2018, popularity=500), Film(2, "Macbeth", 2018, popularity=0.1)]
    match = looked_up(twins, query("Macbeth", 2018)).match
    assert (match.status, match.reason) == ("review", "ambiguous")
    assert {one.candidate.tmdb_id for one in match.candidates} == {1, 2}


def test_lesson_10_a_director_decides_between_namesakes() -> None:
    twins = [
        Film(1, "Dracula", 2025, directors=("Luc Besson",), popularity=500),
        Film(2, "Dracula", 2025, directors=("Radu Jude",), popularity=0.1),
    ]
    asked = [FilmQuery(name, "Dracula", year=2025, directors=(name,)) for name in ("Radu Jude", "Besson, Luc")]
    assert [match.tmdb_id for match in looked_up(twins, *asked).matches] == [2, 1]


def test_lesson_08_with_no_level_to_ask_nothing_is_not_found() -> None:
    import cinegraph_tmdb

    match = looked_up([ARIEL], query("Ariel", 1988), plugins=fresh_plugins(cinegraph_tmdb)).match
    assert (match.status, match.error_type) == ("error", "unknown")
    assert "cinegraph plugins" in str(match.error_message)


def test_lesson_08_a_matcher_that_breaks_or_lacks_its_service_is_an_error() -> None:
    from cinegraph_tmdb.levels import exact_title_year

    async def broken(_query: FilmQuery, _context: object) -> list[Candidate]:
        raise ZeroDivisionError("a plugin's own fault")

    for plugin in (exact_title_year, Matcher("broken", 2, "exact_title_year", 0.9, propose=broken)):
        match = looked_up([ARIEL], query("Ariel", 1988), plugins=fresh_plugins(plugin)).match
        assert (match.status, match.error_type) == ("error", "unknown")
        assert match.error_message
