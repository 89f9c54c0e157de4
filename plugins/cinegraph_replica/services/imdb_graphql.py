"""IMDb's GraphQL endpoint, as far as editions of an event and their awards go.

It does not read GraphQL: a query that names ``nominationEvent`` or ``nominationEventEdition`` gets the whole object, whichever
fields it asks for. A request without the header ``x-imdb-client-name`` gets nginx's bare 403, as the real one does.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from cinegraph_replica.catalogue import Catalogue
from cinegraph_replica.services.imdb import awards_of, edition_id, editions_of

_FIELD = re.compile(r"\b(nominationEvent|nominationEventEdition)\s*\(\s*id\s*:\s*(?:\"(?P<id>[^\"]+)\"|\$(?P<variable>\w+))")


def routes(prefix: str, catalogue: Catalogue) -> list[Route]:
    """Return the endpoint's route, with and without the slash at its end."""

    async def query(request: Request) -> Response:
        if "x-imdb-client-name" not in request.headers:
            return HTMLResponse("<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>", 403)
        try:
            body = await request.json()
            asked = _FIELD.search(body["query"])
        except (json.JSONDecodeError, TypeError, KeyError):
            asked = None
        if asked is None:
            return JSONResponse({"errors": [{"message": 'Cannot query this field on type "Query".'}]}, 400)
        wanted = asked["id"] or (body.get("variables") or {}).get(asked["variable"], "")
        read = _event if asked[1] == "nominationEvent" else _edition
        return JSONResponse({"data": {asked[1]: read(wanted, catalogue)}})

    return [Route(path, query, methods=["POST"]) for path in (prefix, f"{prefix}/")]


def _event(event_id: str, catalogue: Catalogue) -> dict[str, Any] | None:
    editions = editions_of(event_id, catalogue)
    if not editions:
        return None
    shown = [{"id": edition_id(e), "year": e.year, "instanceWithinYear": e.instance} for e in editions]
    return {"name": {"text": editions[0].name}, "editions": shown}


def _edition(wanted: str, catalogue: Catalogue) -> dict[str, Any] | None:
    edition = next((e for e in catalogue.editions if edition_id(e) == wanted), None)
    return {"awards": awards_of(edition, catalogue)} if edition else None
