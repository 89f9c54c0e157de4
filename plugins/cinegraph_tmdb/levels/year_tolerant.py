"""Level 4: the printed titles in the years around, where a title is so common that one page cannot hold its films."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import LookupContext, Matcher, hookimpl
from cinegraph_core.matching.years import likely_year
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.client import PAGE_SIZE
from cinegraph_tmdb.lookup import asked_titles, catalogue, verify


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the hits of the year, the one before and the one after; a search that showed all its hits is not repeated."""
    tmdb, year = catalogue(query, context), likely_year(query)
    if year is None:
        return ()
    common = [title for title in asked_titles(query) if (await tmdb.search_movie(title)).total_results > PAGE_SIZE]
    pages = [await tmdb.search_movie(title, year=year + distance) for title in common for distance in (0, 1, -1)]
    return [hit.candidate() for page in pages for hit in page.results]


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher("tmdb_year_tolerant", level=4, strategy="year_tolerant", confidence=0.7, propose=propose, verify=verify)
