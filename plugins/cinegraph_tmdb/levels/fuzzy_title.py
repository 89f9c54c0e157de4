"""Level 5: titles that may be meant: misspelt ones, numerals written the other way, the part beside a colon or dash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import Catalogue, LookupContext, Matcher, hookimpl
from cinegraph_core.matching.evidence import title_agreement
from cinegraph_core.matching.likeness import NORMALISED
from cinegraph_core.matching.titles import HALF_COST, numeral_variants, spellings
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.client import Tmdb
from cinegraph_tmdb.lookup import asked_titles, catalogue, search, verify

_MOST_SEARCHES = 3


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the films of similar titles that the local catalogue lists, and the hits for the first few guesses."""
    asked, tmdb = asked_titles(query), catalogue(query, context)
    similar = await _similar(query, asked, tmdb, context.catalogue)
    numerals = [variant for title in asked for variant in numeral_variants(title)]
    parts = [spelling.text for title in asked for spelling in spellings(title) if spelling.cost > HALF_COST]
    guesses = list(dict.fromkeys([*numerals, *parts]))[:_MOST_SEARCHES]
    return [*similar, *await search(query, tmdb, guesses)]


async def _similar(query: FilmQuery, asked: Sequence[str], tmdb: Tmdb, local: Catalogue | None) -> Sequence[Candidate]:
    """Return what the local catalogue lists instead of titles that no film bears, and so may be misspelt."""
    if local is None:
        return ()
    pages = [await tmdb.search_movie(title) for title in asked]
    hits = [hit.candidate() for page in pages for hit in page.results]
    known = any(title_agreement(query, hit)[0] >= NORMALISED for hit in hits)
    return () if known else await local.similar(asked)


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher("tmdb_fuzzy_title", level=5, strategy="fuzzy_title", confidence=0.6, propose=propose, verify=verify)
