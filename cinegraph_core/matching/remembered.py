"""Decisions of people come before the cascade: what a person decided is answered from memory and never asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from cinegraph_core.matching.cascade import Cascade
from cinegraph_core.records import Explanation, FilmQuery, Match
from cinegraph_core.storage.query_keys import query_key


class Matching(Protocol):
    """Whatever answers queries: the cascade, or something before it."""

    async def match(self, query: FilmQuery, *, explain: bool = False) -> Match:
        """Return the answer to a query, with its explanation if that is wanted."""
        ...


class Remembering:
    """A cascade that knows what people decided; ``decided`` maps the keys of queries to their answers."""

    def __init__(self, cascade: Cascade, decided: Mapping[str, Match]) -> None:
        self._cascade = cascade
        self._decided = decided

    async def match(self, query: FilmQuery, *, explain: bool = False) -> Match:
        """Return what a person decided about this very query, else what the cascade finds."""
        known = self._decided.get(query_key(query)) if self._decided else None
        if known is None:
            return await self._cascade.match(query, explain=explain)
        return replace(known, id=query.id, explanation=Explanation() if explain else None)
