"""IMDb's event pages in their shape since 2024: everything is in the JSON of ``script#__NEXT_DATA__``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cinegraph_replica.catalogue import Award, Catalogue, Edition, Film

_PAGE = """<!DOCTYPE html><html lang="en-US"><head><meta charset="utf-8"><title>{title} ({year}) - IMDb</title></head>
<body><div id="__next"><nav><a href="/chart/top/">Top 250 Movies</a></nav><h1>{title}</h1></div>
<script id="__NEXT_DATA__" type="application/json">{payload}</script></body></html>
"""


def routes(prefix: str, catalogue: Catalogue) -> list[Route]:
    """Return the routes of event pages; the bare one leads to the latest edition, as the site's own does."""

    async def event(request: Request) -> Response:
        parameters = request.path_params
        edition = catalogue.edition(parameters["event"], parameters["year"], parameters["instance"])
        if edition is None or parameters["event"] != edition.event_id:
            return _missing()
        # "</" would end the script element.
        payload = json.dumps(_payload(edition, catalogue), ensure_ascii=False).replace("</", "<\\/")
        return HTMLResponse(_PAGE.format(title=edition.name, year=edition.year, payload=payload))

    async def latest(request: Request) -> Response:
        editions = editions_of(request.path_params["event"], catalogue)
        if not editions:
            return _missing()
        return RedirectResponse(f"{prefix}/event/{editions[0].event_id}/{editions[0].year}/{editions[0].instance}/", 302)

    return [
        Route(prefix + "/event/{event}/{year:int}/{instance:int}/", event),
        Route(prefix + "/event/{event}/{year:int}/{instance:int}", event),
        Route(prefix + "/event/{event}/", latest),
    ]


def editions_of(event_id: str, catalogue: Catalogue) -> list[Edition]:
    """Return an event's editions, latest first."""
    editions = [edition for edition in catalogue.editions if edition.event_id == event_id]
    return sorted(editions, key=lambda edition: (-edition.year, -edition.instance))


def edition_id(edition: Edition) -> str:
    """Return the replica's own id of an edition; IMDb's are arbitrary."""
    return f"ee{edition.event_id[2:]}{edition.year}{edition.instance}"


def awards_of(edition: Edition, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return an edition's awards as IMDb groups them: award, category, nominations.

    A film without an IMDb id in the catalogue is left out: here, IMDb does not know it.
    """
    grouped: dict[str, dict[str | None, list[dict[str, Any]]]] = {}
    for award in edition.awards:
        nominations = list(_nominations(award, edition, catalogue))
        if nominations:
            grouped.setdefault(award.name, {}).setdefault(award.category, []).extend(nominations)
    return [
        {
            "id": f"aw{edition.event_id[2:]}{number:03}",
            "text": name,
            "nominationCategories": {
                "edges": [{"node": _category(text, nominations)} for text, nominations in categories.items()]
            },
        }
        for number, (name, categories) in enumerate(grouped.items(), 1)
    ]


def _missing() -> HTMLResponse:
    return HTMLResponse(
        "<html><head><title>404 Error - IMDb</title></head><body>The requested URL was not found</body></html>", 404
    )


def _payload(edition: Edition, catalogue: Catalogue) -> dict[str, Any]:
    history = [
        {"id": edition_id(other), "year": other.year, "instanceWithinYear": other.instance}
        for other in editions_of(edition.event_id, catalogue)
    ]
    page = {
        "eventName": edition.name,
        "editionInfo": {
            "id": edition_id(edition),
            "year": edition.year,
            "instanceWithinYear": edition.instance,
            "dateRange": None,
            "event": {"name": {"text": edition.name}, "location": None},
        },
        "edition": {"awards": awards_of(edition, catalogue)},
        "historyEventEditions": history,
        "eventLinks": [],
        "eventAkas": [],
    }
    return {
        "props": {"pageProps": page, "__N_SSP": True},
        "page": "/event/[...event]",
        "query": {"eventId": edition.event_id},
        "buildId": "replica",
    }


def _category(text: str | None, nominations: list[dict[str, Any]]) -> dict[str, Any]:
    edges = [{"node": nomination} for nomination in nominations]
    return {
        "category": {"text": text} if text else None,
        "nominations": {"total": len(edges), "edges": edges, "pageInfo": {"hasNextPage": False, "endCursor": None}},
    }


def _nominations(award: Award, edition: Edition, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    entities = _awarded(award, catalogue)
    if entities:
        yield _nomination(entities, is_winner=True, notes=award.notes)
    section = edition.section(award.nominees)
    for key in section.films if section else ():
        film = catalogue.films[key]
        if key != award.film and film.imdb_id:
            yield _nomination(_titles_awarded(film, film.directors, catalogue), is_winner=False, notes=None)


def _nomination(entities: dict[str, Any], *, is_winner: bool, notes: str | None) -> dict[str, Any]:
    return {
        "isWinner": is_winner,
        "notes": {"plainText": notes} if notes else None,
        "forEpisodes": None,
        "awardedEntities": entities,
    }


def _awarded(award: Award, catalogue: Catalogue) -> dict[str, Any] | None:
    """Return who got an award, ``None`` for a film that IMDb does not know.

    Actors, directors and whoever is honoured without a film come first and the film second; writers the other way round.
    """
    film = catalogue.films[award.film] if award.film else None
    if film and not film.imdb_id:
        return None
    if film and (award.role == "writer" or not award.people):
        return _titles_awarded(film, award.people or film.directors, catalogue)
    return {
        "__typename": "AwardedNames",
        "awardNames": _names(award.people, catalogue),
        "secondaryAwardTitles": [_title(film)] if film else None,
        "secondaryAwardCompanies": [_company(name) for name in award.companies] or None,
    }


def _titles_awarded(film: Film, people: tuple[str, ...], catalogue: Catalogue) -> dict[str, Any]:
    return {
        "__typename": "AwardedTitles",
        "awardTitles": [_title(film)],
        "secondaryAwardNames": _names(people, catalogue) or None,
        "secondaryAwardCompanies": None,
    }


def _title(film: Film) -> dict[str, Any]:
    return {
        "title": {
            "id": film.imdb_id,
            "titleText": {"text": film.title},
            "originalTitleText": {"text": film.original},
            "releaseYear": {"year": film.year, "endYear": None} if film.year else None,
            "titleType": {"id": film.kind},
        }
    }


def _names(people: tuple[str, ...], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return people; the id is null for those whose id the catalogue does not have."""
    return [{"name": {"id": catalogue.people.get(name), "nameText": {"text": name}}, "note": None} for name in people]


def _company(name: str) -> dict[str, Any]:
    return {"company": {"id": None, "companyText": {"text": name}}}
