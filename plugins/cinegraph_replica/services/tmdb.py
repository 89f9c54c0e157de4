"""The Movie Database, API version 3: search, find, details and people, with its own errors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cinegraph_replica.catalogue import Catalogue, Film
from cinegraph_replica.search import fold, popularity, search

_PAGE_SIZE = 20
_LAST_PAGE = 500
_MOST_APPENDED = 20
_FIRST_PERSON_ID = 1000

Endpoint = Callable[[Request], Awaitable[JSONResponse]]


def routes(prefix: str, catalogue: Catalogue) -> list[Route]:
    """Return TMDb's routes."""
    service = _Tmdb(catalogue)
    paths = {
        "/configuration": service.configuration,
        "/search/movie": service.search_movie,
        "/find/{tt}": service.find,
        "/movie/{id}": service.movie,
        "/search/person": service.search_person,
        "/person/{id}/movie_credits": service.person_credits,
    }
    return [Route(prefix + path, _keyed(endpoint)) for path, endpoint in paths.items()]


def _keyed(endpoint: Endpoint) -> Endpoint:
    """Take any key but ``bad``, as ``api_key`` or as Bearer token."""

    async def guarded(request: Request) -> JSONResponse:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        key = request.query_params.get("api_key") or bearer
        if key in ("", "bad"):
            return _error(401, 7, "Invalid API key: You must be granted a valid key.")
        return await endpoint(request)

    return guarded


def _error(status: int, code: int, message: str) -> JSONResponse:
    return JSONResponse({"success": False, "status_code": code, "status_message": message}, status)


def _not_found() -> JSONResponse:
    return _error(404, 34, "The resource you requested could not be found.")


class _Tmdb:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._people: dict[str, int] = {}
        self._directed: dict[int, list[Film]] = defaultdict(list)
        for film in catalogue.by_tmdb_id.values():
            for name in film.directors:
                person = self._people.setdefault(name, _FIRST_PERSON_ID + len(self._people))
                self._directed[person].append(film)

    async def configuration(self, _request: Request) -> JSONResponse:
        images = {"base_url": "http://image.tmdb.org/t/p/", "secure_base_url": "https://image.tmdb.org/t/p/"}
        return JSONResponse({"images": images, "change_keys": []})

    async def search_movie(self, request: Request) -> JSONResponse:
        page = request.query_params.get("page", "1")
        if not page.isdecimal() or not 1 <= int(page) <= _LAST_PAGE:
            return _error(400, 22, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer.")
        year = request.query_params.get("primary_release_year") or request.query_params.get("year") or ""
        query = request.query_params.get("query", "")
        hits = search(self._catalogue.films.values(), query, int(year) if year.isdecimal() else None)
        first = (int(page) - 1) * _PAGE_SIZE
        return JSONResponse(
            {
                "page": int(page),
                "results": [_hit(film) for film in hits[first : first + _PAGE_SIZE]],
                "total_pages": max(1, math.ceil(len(hits) / _PAGE_SIZE)),
                "total_results": len(hits),
            }
        )

    async def find(self, request: Request) -> JSONResponse:
        film = self._catalogue.by_imdb_id.get(request.path_params["tt"])
        found = [{**_hit(film), "media_type": "movie"}] if film and film.tmdb_id else []
        others = ("person_results", "tv_results", "tv_episode_results", "tv_season_results")
        return JSONResponse({"movie_results": found, **{kind: [] for kind in others}})

    async def movie(self, request: Request) -> JSONResponse:
        number = request.path_params["id"]
        film = self._catalogue.by_tmdb_id.get(int(number)) if number.isdecimal() else None
        if film is None:
            return _not_found()
        appended = [part for part in request.query_params.get("append_to_response", "").split(",") if part]
        if len(appended) > _MOST_APPENDED:
            return _error(400, 27, "Too many append to response objects: The maximum number of remote calls is 20.")
        parts: Mapping[str, Callable[[Film], dict[str, Any]]] = {
            "alternative_titles": _alternative_titles,
            "credits": self._credits,
            "translations": _translations,
            "external_ids": _external_ids,
            "release_dates": _release_dates,
        }
        return JSONResponse({**_details(film), **{name: parts[name](film) for name in appended if name in parts}})

    async def search_person(self, request: Request) -> JSONResponse:
        query = fold(request.query_params.get("query", "")).split()
        hits = [name for name in self._people if query and fold(name).split() in (query, query[::-1])][:_PAGE_SIZE]
        results = [
            {
                "adult": False,
                "id": self._people[name],
                "name": name,
                "original_name": name,
                "known_for_department": "Directing",
                "popularity": 1.0,
                "profile_path": None,
                "known_for": [_hit(film) for film in self._directed[self._people[name]][:3]],
            }
            for name in hits
        ]
        return JSONResponse({"page": 1, "results": results, "total_pages": 1, "total_results": len(results)})

    async def person_credits(self, request: Request) -> JSONResponse:
        number = request.path_params["id"]
        films = self._directed.get(int(number)) if number.isdecimal() else None
        if films is None:
            return _not_found()
        crew = [{**_hit(film), "job": "Director", "department": "Directing"} for film in films]
        return JSONResponse({"id": int(number), "cast": [], "crew": crew})

    def _credits(self, film: Film) -> dict[str, Any]:
        crew = [
            {"id": self._people[name], "name": name, "original_name": name, "job": "Director", "department": "Directing"}
            for name in film.directors
        ]
        return {"cast": [], "crew": crew}


def _hit(film: Film) -> dict[str, Any]:
    """A film as searches show it: no alternative titles, directors or runtime."""
    return {
        "adult": False,
        "backdrop_path": None,
        "genre_ids": [],
        "id": film.tmdb_id,
        "original_language": film.language,
        "original_title": film.original,
        "overview": "",
        "popularity": popularity(film.tmdb_id or 0),
        "poster_path": None,
        "release_date": f"{film.year}-01-01" if film.year else "",
        "title": film.title,
        "video": False,
        "vote_average": 0.0,
        "vote_count": 0,
    }


def _details(film: Film) -> dict[str, Any]:
    hit = _hit(film)
    del hit["genre_ids"]
    return {
        **hit,
        "belongs_to_collection": None,
        "genres": [],
        "imdb_id": film.imdb_id,
        "production_countries": [{"iso_3166_1": "", "name": name} for name in film.countries],
        "runtime": film.runtime_minutes or 0,
        "status": "Released",
        "tagline": "",
    }


def _alternative_titles(film: Film) -> dict[str, Any]:
    return {"titles": [{"iso_3166_1": "XX", "title": title, "type": ""} for title in film.alternative_titles]}


def _translations(film: Film) -> dict[str, Any]:
    english = {"iso_3166_1": "US", "iso_639_1": "en", "name": "English", "english_name": "English"}
    return {
        "translations": [{**english, "data": {"title": film.title, "overview": "", "runtime": 0, "tagline": "", "homepage": ""}}]
    }


def _external_ids(film: Film) -> dict[str, Any]:
    return {"imdb_id": film.imdb_id, "wikidata_id": None, "facebook_id": None, "instagram_id": None, "twitter_id": None}


def _release_dates(film: Film) -> dict[str, Any]:
    if film.year is None:
        return {"results": []}
    premiere = {"release_date": f"{film.year}-01-01T00:00:00.000Z", "type": 1, "certification": "", "note": ""}
    return {"results": [{"iso_3166_1": "XX", "release_dates": [premiere]}]}
