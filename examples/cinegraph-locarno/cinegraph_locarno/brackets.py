"""A level of the cascade for titles that carry their translation in brackets: "Akiplėša (Toxic)"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cinegraph_core import Answer, Call, Candidate, FilmQuery, LookupContext

_BRACKETED = re.compile(r"(?P<original>.+?)\s*\((?P<translation>[^()]+)\)")


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return what TMDb finds for either half of the title; which film it is, Cinegraph's evidence decides.

    Raises :class:`~cinegraph_core.ServiceError` where TMDb does not answer properly.
    """
    found: list[Candidate] = []
    if halves := _BRACKETED.fullmatch(query.title):
        for title in halves.groups():
            call = Call(service="tmdb", operation="search_movie", target=title, read=_candidates)
            found += await context.client("tmdb").get("/search/movie", params={"query": title}, call=call)
    return found


def _candidates(answer: Answer) -> list[Candidate]:
    return [
        Candidate(
            tmdb_id=hit["id"],
            title=hit["title"],
            original_title=hit["original_title"],
            year=int(hit["release_date"][:4]) if hit.get("release_date") else None,
        )
        for hit in answer.json()["results"]
    ]
