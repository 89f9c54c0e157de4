"""What the six levels share: the catalogue of a lookup, the common search, and the check of one candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cinegraph_core.contracts import LookupContext
from cinegraph_core.matching.evidence import title_agreement
from cinegraph_core.matching.likeness import NORMALISED
from cinegraph_core.matching.lookup import target_of
from cinegraph_core.matching.titles import clean
from cinegraph_core.matching.years import likely_year
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.client import PAGE_SIZE, Tmdb


def catalogue(query: FilmQuery, context: LookupContext) -> Tmdb:
    """Return TMDb as this lookup sees it."""
    return Tmdb(context, target_of(query))


async def verify(candidate: Candidate, context: LookupContext) -> Candidate:
    """Return a candidate with its directors, other titles, runtime and IMDb id.

    Raises :class:`~cinegraph_core.errors.NotFoundError` if the film is gone.
    """
    if candidate.detailed:
        return candidate
    year = f" ({candidate.year})" if candidate.year else ""
    full = await Tmdb(context, f"{candidate.title or candidate.tmdb_id}{year}").movie_details(candidate.tmdb_id)
    return full if full.imdb_id else replace(full, imdb_id=candidate.imdb_id)


def asked_titles(query: FilmQuery) -> tuple[str, ...]:
    """Return the titles to search for as they are printed, each once."""
    titles = (clean(title) for title in (query.title, query.original_title) if title)
    return tuple(dict.fromkeys(title for title in titles if title))


async def search(query: FilmQuery, tmdb: Tmdb, titles: Iterable[str]) -> list[Candidate]:
    """Search without the year, so that no rival stays hidden; within it only where the first page may lack the film.

    Where a director is known to tell namesakes apart, a first page that holds a film of that title and year is enough.
    """
    found: list[Candidate] = []
    year = likely_year(query)
    for title in titles:
        page = await tmdb.search_movie(title)
        hits = [hit.candidate() for hit in page.results]
        enough = query.directors and any(_fits(query, hit) for hit in hits)
        if page.total_results > PAGE_SIZE and year is not None and not enough:
            hits += [hit.candidate() for hit in (await tmdb.search_movie(title, year=year)).results]
        found += hits
    return found


def _fits(query: FilmQuery, hit: Candidate) -> bool:
    return hit.year == likely_year(query) and title_agreement(query, hit)[0] >= NORMALISED
