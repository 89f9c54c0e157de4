"""Level 6: the director's films of those years, and films that share the title's longest words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import LookupContext, Matcher, hookimpl
from cinegraph_core.matching.titles import keywords
from cinegraph_core.matching.years import likely_year, years_off
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.client import Tmdb
from cinegraph_tmdb.lookup import asked_titles, catalogue, verify

_MOST_NAMESAKES = 2


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the first director's films around the year, and without any the hits for the longest words."""
    tmdb = catalogue(query, context)
    films = await _filmography(tmdb, query)
    return films or await _by_keywords(tmdb, query)


async def _filmography(tmdb: Tmdb, query: FilmQuery) -> list[Candidate]:
    if not query.directors:
        return []
    people = (await tmdb.search_person(query.directors[0]))[:_MOST_NAMESAKES]
    films = [film for person in people for film in await tmdb.person_credits(person)]
    return [film for film in films if (years_off(query, film.year) or 0) <= 1]


async def _by_keywords(tmdb: Tmdb, query: FilmQuery) -> list[Candidate]:
    asked = asked_titles(query)
    words = [found for title in asked if (found := keywords(title)) and found not in asked]
    pages = [await tmdb.search_movie(found, year=likely_year(query)) for found in dict.fromkeys(words)]
    return [hit.candidate() for page in pages for hit in page.results]


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher("tmdb_broad_search", level=6, strategy="broad_search", confidence=0.5, propose=propose, verify=verify)
