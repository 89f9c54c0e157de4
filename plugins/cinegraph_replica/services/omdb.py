"""The Open Movie Database: one path, errors with HTTP 200 or 401 and a text that alone tells them apart."""

from __future__ import annotations

import re
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cinegraph_replica.catalogue import Catalogue, Film
from cinegraph_replica.search import search

_IMDB_ID = re.compile(r"tt\d{7,}")
_MISSING = "N/A"
# The catalogue holds bare facts only; whatever else OMDb would say is missing here.
_UNKNOWN = (
    "Rated",
    "Released",
    "Genre",
    "Writer",
    "Actors",
    "Plot",
    "Language",
    "Awards",
    "Poster",
    "Metascore",
    "imdbRating",
    "imdbVotes",
)


def routes(prefix: str, catalogue: Catalogue) -> list[Route]:
    """Return OMDb's route, with and without the slash at its end."""

    async def lookup(request: Request) -> JSONResponse:
        query = request.query_params
        if query.get("apikey", "") in ("", "bad"):
            return _refused("Invalid API key!", 401)
        if "i" in query and not _IMDB_ID.fullmatch(query["i"]):
            return _refused("Incorrect IMDb ID.")
        film = _lookup(query, catalogue)
        return JSONResponse(_shown(film)) if film else _refused("Movie not found!")

    return [Route(prefix, lookup), Route(f"{prefix}/", lookup)]


def _lookup(query: QueryParams, catalogue: Catalogue) -> Film | None:
    if "i" in query:
        return catalogue.by_imdb_id.get(query["i"])
    year = query.get("y", "")
    hits = search(catalogue.films.values(), query.get("t", ""), int(year) if year.isdecimal() else None)
    return hits[0] if hits else None


def _refused(error: str, status: int = 200) -> JSONResponse:
    return JSONResponse({"Response": "False", "Error": error}, status)


def _shown(film: Film) -> dict[str, Any]:
    return {
        "Title": film.title,
        "Year": str(film.year or _MISSING),
        **dict.fromkeys(_UNKNOWN, _MISSING),
        "Runtime": f"{film.runtime_minutes} min" if film.runtime_minutes else _MISSING,
        "Director": ", ".join(film.directors) or _MISSING,
        "Country": ", ".join(film.countries) or _MISSING,
        "Ratings": [],
        "imdbID": film.imdb_id or _MISSING,
        "Type": "movie",
        "DVD": _MISSING,
        "BoxOffice": _MISSING,
        "Production": _MISSING,
        "Website": _MISSING,
        "Response": "True",
    }
