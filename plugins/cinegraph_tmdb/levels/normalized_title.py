"""Level 3: the titles freed of brackets, halves and remarks: ``Original (English)``, ``A / B``, ``Title [4K]``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cinegraph_core import LookupContext, Matcher, hookimpl
from cinegraph_core.matching.titles import HALF_COST, spellings
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_tmdb.lookup import asked_titles, catalogue, search, verify


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    """Return the hits for every full reading of the printed titles that was not searched yet."""
    asked = asked_titles(query)
    readings = (spelling.text for title in asked for spelling in spellings(title) if spelling.cost <= HALF_COST)
    fresh = dict.fromkeys(reading for reading in readings if reading not in asked)
    return await search(query, catalogue(query, context), fresh)


@hookimpl
def matcher() -> Iterator[Matcher]:
    """Register the level."""
    yield Matcher("tmdb_normalized_title", level=3, strategy="normalized_title", confidence=0.8, propose=propose, verify=verify)
