"""Level 2: the titles as they are printed, looked up in the local catalogue before anything is searched for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import LookupContext, Matcher, hookimpl
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.lookup import asked_titles, catalogue, search, verify

_MOST_NAMESAKES = 2
"""Among more films of one title, a search that knows their years finds the right one at less cost."""


async def suggest(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the films of that original title, where a director is known who can tell them from namesakes not listed."""
    if context.catalogue is None or not query.directors:
        return ()
    found = await context.catalogue.same_title(asked_titles(query))
    return found if len(found) <= _MOST_NAMESAKES else ()


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the hits for the printed title and the original one."""
    return await search(query, catalogue(query, context), asked_titles(query))


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher(
        "tmdb_exact_title_year",
        level=2,
        strategy="exact_title_year",
        confidence=0.9,
        propose=propose,
        verify=verify,
        suggest=suggest,
    )
