"""TMDb's daily lists of ids: any day's list of films is the bundled catalogue's."""

from __future__ import annotations

import gzip
import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cinegraph_replica.catalogue import Catalogue


def routes(prefix: str, catalogue: Catalogue) -> list[Route]:
    """Return the route of the lists of films."""

    async def film_ids(_: Request) -> Response:
        known = [film for film in catalogue.films.values() if film.tmdb_id is not None and film.kind in ("movie", "short")]
        lines = (
            json.dumps({"adult": False, "id": film.tmdb_id, "original_title": film.original, "popularity": 1.0, "video": False})
            for film in known
        )
        return Response(gzip.compress("".join(f"{line}\n" for line in lines).encode()), media_type="application/gzip")

    return [Route(f"{prefix}/p/exports/movie_ids_{{day}}.json.gz", film_ids)]
