"""The replica as one ASGI application: every service under its prefix, and the paths that steer it.

``GET /__stats`` counts, ``POST /__faults`` sets a service's fault (``kind`` null: clears it), ``GET /__faults`` shows them,
``POST /__reset`` forgets faults and counts.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from cinegraph_core import UsageError
from cinegraph_replica.catalogue import Catalogue
from cinegraph_replica.door import Door
from cinegraph_replica.faults import Board, Fault, fault_from
from cinegraph_replica.services import imdb, imdb_graphql, omdb, tmdb, tmdb_files, venice

PREFIXES = {
    "tmdb": "/tmdb/3",
    "omdb": "/omdb",
    "venice": "/venice",
    "imdb": "/imdb",
    "imdb_graphql": "/imdb_graphql",
    "tmdb_files": "/tmdb_files",
}


def create_app(catalogue: Catalogue, board: Board) -> Door:
    """Return the whole replica over a catalogue."""
    routes = [
        *(_robots(prefix) for prefix in PREFIXES.values()),
        *tmdb.routes(PREFIXES["tmdb"], catalogue),
        *tmdb_files.routes(PREFIXES["tmdb_files"], catalogue),
        *omdb.routes(PREFIXES["omdb"], catalogue),
        *venice.routes(PREFIXES["venice"], catalogue),
        *imdb.routes(PREFIXES["imdb"], catalogue),
        *imdb_graphql.routes(PREFIXES["imdb_graphql"], catalogue),
        *_steering(catalogue, board),
    ]
    return Door(Starlette(routes=routes), board)


def checked(fault: Fault) -> Fault:
    """Return the fault; raises :class:`UsageError` if it is of a service that the replica does not have."""
    if fault.service not in PREFIXES:
        raise UsageError(f"the replica has no service {fault.service!r}; it has {', '.join(PREFIXES)}")
    return fault


def _robots(prefix: str) -> Route:
    """A service's robots.txt; both forms of the closed path, for readers that know the prefix and for those that do not."""
    text = f"User-agent: *\nDisallow: /private\nDisallow: {prefix}/private\n"

    async def robots(_: Request) -> PlainTextResponse:
        return PlainTextResponse(text)

    return Route(f"{prefix}/robots.txt", robots)


def _steering(catalogue: Catalogue, board: Board) -> list[Route]:
    def shown() -> dict[str, Any]:
        return {service: asdict(fault) for service, fault in board.faults.items()}

    async def stats(_: Request) -> JSONResponse:
        return JSONResponse({**board.statistics(), "films": len(catalogue.films)})

    async def faults(_: Request) -> JSONResponse:
        return JSONResponse(shown())

    async def set_fault(request: Request) -> PlainTextResponse | JSONResponse:
        try:
            values = await request.json()
            if values.get("kind") is None and values.get("service"):
                board.clear(values["service"])
            else:
                board.set(checked(fault_from(values)))
        except (UsageError, json.JSONDecodeError, AttributeError) as error:
            return PlainTextResponse(f"{error}", 400)
        return JSONResponse(shown())

    async def reset(_: Request) -> JSONResponse:
        board.reset()
        return JSONResponse({})

    return [
        Route("/__stats", stats),
        Route("/__faults", faults),
        Route("/__faults", set_fault, methods=["POST"]),
        Route("/__reset", reset, methods=["POST"]),
    ]
