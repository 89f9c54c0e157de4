"""The cascade over the real door: levels, decisions, and what is recorded."""

from __future__ import annotations

import pytest

from cinegraph_core.records import FilmQuery
from cinegraph_core.testing import fresh_plugins
from tests.support.matching import Run, looked_up, query
from tests.support.tmdb_server import Film, TmdbServer

POOR_THINGS = Film(792307, "Poor Things", 2023, directors=("Yorgos Lanthimos",), imdb_id="tt14230458", runtime=141, popularity=40)
SENTIMENTAL = Film(1124566, "Sentimental Value", 2025, "Affeksjonsverdi", directors=("Joachim Trier",), imdb_id="tt27714581")
IDDU = Film(
    1209288, "Sicilian Letters", 2024, "Iddu - L'ultimo padrino", ("Iddu",), directors=("Antonio Piazza", "Fabio Grassadonia")
)
ROCKY_2 = Film(1367, "Rocky II", 1979, directors=("Sylvester Stallone",), imdb_id="tt0079817", runtime=119)
NOMADLAND = Film(581734, "Nomadland", 2021, directors=("Chloé Zhao",), imdb_id="tt9770150", runtime=108)
WOMAN_UNKNOWN = Film(900001, "Woman Unknown", 2026, "Kvinde ukendt", directors=("May el-Toukhy",), imdb_id="tt0900001")
FILMS = (POOR_THINGS, SENTIMENTAL, IDDU, ROCKY_2, NOMADLAND, WOMAN_UNKNOWN)


def one(asked: FilmQuery, *films: Film, **more: object) -> Run:
    return looked_up(films or FILMS, asked, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "film", "level"),
    [
        (query("Poor Things", 2023, imdb_id="tt14230458"), POOR_THINGS, (1, "direct_imdb", 1.0)),
        (query("POOR THINGS", 2023, "Yorgos Lanthimos"), POOR_THINGS, (2, "exact_title_year", 0.9)),
        (query("Affeksjonsverdi", 2025), SENTIMENTAL, (2, "exact_title_year", 0.9)),
        (query("Iddu (Sicilian Letters)", 2024, "Fabio Grassadonia"), IDDU, (3, "normalized_title", 0.8)),
        (query("Nomadland", 2020, "Chloe Zhao"), NOMADLAND, (4, "year_tolerant", 0.7)),
        (query("Rocky 2", 1979, "Sylvester Stallone"), ROCKY_2, (3, "normalized_title", 0.8)),
        (query("Poor Thngs", 2023, "Yorgos Lanthimos"), POOR_THINGS, (5, "fuzzy_title", 0.6)),
        (query("Poor Thing", None, "Yorgos Lanthimos"), POOR_THINGS, (5, "fuzzy_title", 0.6)),
    ],
)
def test_each_film_is_found_and_named_by_the_lowest_level_it_satisfies(
    asked: FilmQuery, film: Film, level: tuple[int, str, float]
) -> None:
    match = one(asked).match
    assert (match.status, match.tmdb_id, match.imdb_id) == ("matched", film.id, film.imdb_id)
    assert (match.level, match.strategy, match.confidence) == level
    assert match.score is not None
    assert match.score >= 0.8


def test_nothing_alike_after_complete_answers_is_not_found() -> None:
    run = one(query("Zzyzx Cannot Exist", 2020))
    assert run.match.status == "not_found"
    assert run.match.candidates == ()
    assert run.match.error_type is None


def test_a_film_that_fits_badly_is_a_question_with_reasons() -> None:
    match = one(query("Poor Things", 2023, "Jane Campion")).match
    assert (match.status, match.reason, match.tmdb_id) == ("review", "contradiction", None)
    assert match.candidates[0].candidate.tmdb_id == POOR_THINGS.id
    assert "another director: Yorgos Lanthimos" in match.candidates[0].why


def test_an_imdb_id_is_checked_against_the_title() -> None:
    match = one(query("Quiet Harbour", 1999, "Somebody Else", imdb_id="tt14230458")).match
    assert (match.status, match.reason) == ("review", "contradiction")


def test_an_imdb_id_alone_finds_its_film() -> None:
    match = one(FilmQuery("q", "", imdb_id="tt9770150")).match
    assert (match.status, match.tmdb_id, match.level) == ("matched", NOMADLAND.id, 1)


def test_when_tmdb_lacks_the_id_a_namesake_with_another_id_is_refused() -> None:
    match = one(query("Nomadland", 2021, imdb_id="tt0000001")).match
    assert (match.status, match.reason) == ("review", "contradiction")
    assert "carries another IMDb id: tt9770150" in match.candidates[0].why


def test_a_film_whose_record_is_gone_is_no_candidate() -> None:
    server = TmdbServer(FILMS, gone=frozenset({POOR_THINGS.id}))
    assert one(query("Poor Things", 2023, "Yorgos Lanthimos"), server=server).match.status == "not_found"


def test_the_same_search_is_never_sent_twice_and_details_go_to_contenders_only() -> None:
    films = tuple(Film(100 + n, "Macbeth", 1900 + 5 * n, directors=(f"Director {n}",)) for n in range(24))
    run = one(query("Macbeth", 1945, "Nobody Known"), *films)
    searches = [tuple(sorted(params.items())) for params in run.server.searches()]
    assert len(searches) == len(set(searches))
    assert 1 <= len(run.server.details()) <= 3
    assert run.match.status != "matched"


def test_one_clean_film_costs_a_search_and_its_details() -> None:
    run = one(query("Poor Things", 2023, "Yorgos Lanthimos"))
    assert [path for path, _ in run.server.asked] == ["/3/search/movie", f"/3/movie/{POOR_THINGS.id}"]
    assert run.match.api_calls == 2


def test_a_level_that_is_blocked_is_left_out_and_the_rest_works() -> None:
    import cinegraph_tmdb
    from cinegraph_tmdb.levels import broad_search, exact_title_year

    plugins = fresh_plugins(cinegraph_tmdb, exact_title_year, broad_search)
    run = one(query("Poor Things", 2023), plugins=plugins)
    assert (run.match.status, run.match.level) == ("matched", 2)


class TestRecords:
    def test_one_row_for_the_lookup_one_for_each_level_tried(self) -> None:
        run = one(query("Poor Things", 2023, "Yorgos Lanthimos"))
        (lookup,) = run.of_kind("lookup")
        assert (lookup.source, lookup.operation, lookup.target_identifier) == ("tmdb", "lookup", "Poor Things (2023)")
        assert (lookup.success, lookup.fallback_level, lookup.provenance) == (True, 2, "live")
        (level,) = run.of_kind("level")
        assert (level.operation, level.success, level.fallback_level) == ("fallback_exact_title_year", True, 2)
        assert level.confidence_score == lookup.confidence_score

    def test_the_calls_counted_are_the_requests_the_server_saw(self) -> None:
        asked = [query("Poor Thngs", 2023, "Yorgos Lanthimos", id="a"), query("Zzyzx", 2001, "Joachim Trier", id="b")]
        run = looked_up(FILMS, *asked)
        assert sum(match.api_calls for match in run.matches) == len(run.server.asked) > 2
        assert sum(row.attempts for row in run.of_kind("call")) == len(run.server.asked)

    def test_an_empty_result_is_recorded_as_a_success_that_found_nothing(self) -> None:
        run = looked_up(FILMS, query("Zzyzx", 2001, "Nobody Atall", imdb_id="tt9999999"), query("Poor Things", 2023))
        found = {(row.operation, row.success, row.error_type) for row in run.of_kind("call")}
        empty = {(operation, True, "not_found") for operation in ("find_by_imdb", "search_movie", "search_person")}
        assert found == empty | {("search_movie", True, None), ("movie_details", True, None)}

    @pytest.mark.parametrize("asked", [query("", None, id="x"), query("  ", None, imdb_id="tt9999999"), query("…", None)])
    def test_no_row_is_without_a_target(self, asked: FilmQuery) -> None:
        run = one(asked)
        assert run.rows
        assert all(row.target_identifier.strip() for row in run.rows)


STRANGE = [
    "",
    " ",
    "…",
    "🎬🎬",
    "\u202e",
    "a\u0301\u0301",
    "' OR 1=1 --",
    "%00 %2F",
    "\x00",
    "&=#+?",
    "[[(",
    ":",
    "//",
    "x" * 3000,
]


@pytest.mark.parametrize("title", STRANGE)
def test_any_text_gets_an_answer(title: str) -> None:
    assert one(query(title, 2020, "誰か")).match.status in ("not_found", "review")
