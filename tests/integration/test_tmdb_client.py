"""The TMDb client: what it sends, what it reads, and how it says no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Answer, SinkContext
from cinegraph_core.errors import AuthError, ClientError, InvalidResponseError, NotFoundError, RateLimitError
from cinegraph_core.matching.lookup import Lookup
from cinegraph_core.plugins import load_plugins
from cinegraph_core.records import FilmQuery
from cinegraph_core.services import Services
from cinegraph_core.settings import load_settings
from cinegraph_core.storage import Database
from cinegraph_core.storage.cache import purge_answers
from cinegraph_core.tracking import Tracker
from cinegraph_tmdb import authenticate, judge
from cinegraph_tmdb.client import Tmdb
from tests.support.door import shared_state
from tests.support.tmdb_server import Film, TmdbServer, serving

FILM = Film(
    986280,
    "Fallen Leaves",
    2023,
    "Kuolleet lehdet",
    titles=("Les Feuilles mortes",),
    translations=("Fallende Blätter", ""),
    directors=("Aki Kaurismäki",),
    imdb_id="tt21027780",
    runtime=81,
    popularity=12.5,
)


def asked(server: TmdbServer, work: Callable[[Tmdb], Awaitable[Any]], **options: Any) -> Any:
    """Do something with a client behind the real door; the lookup's memo is its own."""
    settings = load_settings(
        environ={
            "CINEGRAPH_MODE": "real",
            "CINEGRAPH_SERVICES__TMDB__API_KEY": "k",
            "CINEGRAPH_SERVICES__TMDB__BASE_URL": server.url,
            "CINEGRAPH_SERVICES__TMDB__RETRIES": "0",
        }
    )
    tracker = Tracker({}, SinkContext("sqlite://", lambda _: None, SystemClock()))
    services = Services(settings, load_plugins(), tracker, SystemClock(), **options)

    async def go() -> Any:
        try:
            return await work(Tmdb(Lookup(FilmQuery("q", "Fallen Leaves"), services), "Fallen Leaves"))
        finally:
            await services.aclose()

    try:
        return asyncio.run(go())
    finally:
        tracker.close()


def test_details_come_in_one_call_and_are_read_whole() -> None:
    with serving(TmdbServer([FILM])) as server:
        film = asked(server, lambda tmdb: tmdb.movie_details(986280))
        ((path, params),) = server.asked
    assert path == "/3/movie/986280"
    assert set(params["append_to_response"].split(",")) >= {"credits", "alternative_titles", "translations", "external_ids"}
    assert (film.title, film.original_title, film.year, film.imdb_id) == ("Fallen Leaves", "Kuolleet lehdet", 2023, "tt21027780")
    assert film.titles == ("Les Feuilles mortes", "Fallende Blätter")
    assert (film.directors, film.runtime_minutes, film.kind, film.detailed) == (("Aki Kaurismäki",), 81, "movie", True)


def test_a_search_sends_the_title_as_it_is() -> None:
    with serving(TmdbServer([FILM])) as server:
        asked(server, lambda tmdb: tmdb.search_movie("Tom & Jerry #1 + 100% = ?", year=2021))
        ((_, params),) = server.asked
    assert params == {"query": "Tom & Jerry #1 + 100% = ?", "primary_release_year": "2021", "api_key": "k"}


def test_the_same_question_is_sent_once() -> None:
    async def twice(tmdb: Tmdb) -> bool:
        first = await tmdb.search_movie("Fallen Leaves")
        await tmdb.search_movie("Fallen Leaves", year=2023)
        return await tmdb.search_movie("Fallen Leaves") is first

    with serving(TmdbServer([FILM])) as server:
        assert asked(server, twice)
        assert len(server.asked) == 2


def test_what_is_kept_of_a_film_can_be_forgotten_by_its_id(tmp_path: Path) -> None:
    async def all_of_it(tmdb: Tmdb) -> None:
        await tmdb.find_by_imdb("tt21027780")
        await tmdb.movie_details(986280)
        await tmdb.search_movie("Fallen Leaves")

    url = f"sqlite:///{tmp_path / 'kept.db'}"
    with serving(TmdbServer([FILM])) as server, shared_state(url, SystemClock()) as shared:
        asked(server, all_of_it, shared=shared)
    database = Database(url)
    with database.transaction() as session:
        assert purge_answers(session, "tmdb", tag="film:986280") == 1
        assert purge_answers(session, "tmdb", tag="film:tt21027780") == 1
        assert purge_answers(session, "tmdb") == 1
    database.close()


def test_a_film_that_is_gone_says_so() -> None:
    with serving(TmdbServer([FILM], gone=frozenset({986280}))) as server, pytest.raises(NotFoundError, match="986280"):
        asked(server, lambda tmdb: tmdb.movie_details(986280))


def test_a_short_film_is_known_by_its_length() -> None:
    with serving(TmdbServer([Film(7, "Strange Way of Life", 2023, runtime=31)])) as server:
        assert asked(server, lambda tmdb: tmdb.movie_details(7)).kind == "short"


@pytest.mark.parametrize("body", ['{"results": [{"id": "x"}]}', '{"page": 1}', "[]", '{"results": [{"id": 1}', "", "\xff"])
def test_a_body_that_is_not_tmdbs_is_an_invalid_response(body: str) -> None:
    with serving(TmdbServer([FILM], fail_from=0, failure=(200, body))) as server, pytest.raises(InvalidResponseError):
        asked(server, lambda tmdb: tmdb.search_movie("Fallen Leaves"))


@pytest.mark.parametrize(
    ("date", "year"), [("", None), (None, None), ("2023-09-14", 2023), ("0000-00-00", None), ("soon", None), ("٢٠٢٣-01-01", None)]
)
def test_only_a_real_date_has_a_year(date: str | None, year: int | None) -> None:
    hits = json.dumps({"results": [{"id": 1, "title": "X", "release_date": date}], "total_results": 1})
    with serving(TmdbServer([], fail_from=0, failure=(200, hits))) as server:
        page = asked(server, lambda tmdb: tmdb.search_movie("X"))
    assert page.results[0].candidate().year == year


def test_a_token_goes_into_the_header_and_a_key_into_the_query() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9." + "a" * 120 + ".sig"
    assert authenticate(token).headers == {"Authorization": f"Bearer {token}"}
    assert not authenticate(token).params
    assert authenticate("0123456789abcdef0123456789abcdef").params == {"api_key": "0123456789abcdef0123456789abcdef"}


@pytest.mark.parametrize(
    ("code", "expected"), [(7, AuthError), (25, RateLimitError), (34, NotFoundError), (22, ClientError), ("x", ClientError)]
)
def test_an_error_object_with_status_200_is_an_error(code: object, expected: type[Exception]) -> None:
    body = {"success": False, "status_code": code, "status_message": "no"}
    assert type(judge(Answer(200, {}, json.dumps(body).encode(), "https://api.themoviedb.org/3/x"))) is expected


@pytest.mark.parametrize("status", [200, 202, 404])
def test_a_page_in_place_of_json_is_an_invalid_response(status: int) -> None:
    page = Answer(status, {"content-type": "text/html"}, b"<html>sign in</html>", "https://api.themoviedb.org/3/x")
    assert isinstance(judge(page), InvalidResponseError)
