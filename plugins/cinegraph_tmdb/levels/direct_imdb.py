"""Level 1: the film that carries the IMDb id asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import LookupContext, Matcher, hookimpl
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.lookup import catalogue, verify


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return what TMDb finds by the IMDb id; whether the id is right is for the evidence to say."""
    return await catalogue(query, context).find_by_imdb(query.imdb_id) if query.imdb_id else ()


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher("tmdb_direct_imdb", level=1, strategy="direct_imdb", confidence=1.0, propose=propose, verify=verify)
