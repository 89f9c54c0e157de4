"""Level 2: the titles as they are printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import LookupContext, Matcher, hookimpl
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.lookup import asked_titles, catalogue, search, verify


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the hits for the printed title and the original one."""
    return await search(query, catalogue(query, context), asked_titles(query))


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher("tmdb_exact_title_year", level=2, strategy="exact_title_year", confidence=0.9, propose=propose, verify=verify)
