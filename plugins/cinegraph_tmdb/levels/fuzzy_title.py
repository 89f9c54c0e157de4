"""Level 5: titles that may be meant: numerals written the other way, the part before or after a colon or dash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import LookupContext, Matcher, hookimpl
from cinegraph_core.matching.titles import HALF_COST, numeral_variants, spellings
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.lookup import asked_titles, catalogue, search, verify

_MOST_SEARCHES = 3


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the hits for the first few guesses."""
    asked = asked_titles(query)
    numerals = [variant for title in asked for variant in numeral_variants(title)]
    parts = [spelling.text for title in asked for spelling in spellings(title) if spelling.cost > HALF_COST]
    guesses = list(dict.fromkeys([*numerals, *parts]))[:_MOST_SEARCHES]
    return await search(query, catalogue(query, context), guesses)


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher("tmdb_fuzzy_title", level=5, strategy="fuzzy_title", confidence=0.6, propose=propose, verify=verify)
