"""When two queries ask the same: the key under which a person's decision is remembered, and a source's correction noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from cinegraph_core.records import FilmQuery
from cinegraph_core.storage.naming import fold, fold_name

_BETWEEN = "-"
_LENGTH = 24


def query_key(query: FilmQuery) -> str:
    """Return the key of a query: alike for all that name the same film at the same occasion, whatever their ids.

    It has two parts: what is said of the film (titles, its own year, directors, IMDb id), and of the occasion (festival and
    edition). Case, accents, punctuation and the order of names make no difference.
    """
    own_year = query.year if query.edition is not None or not query.festival else None
    film = [
        fold(query.title),
        fold(query.original_title or ""),
        own_year,
        sorted(fold_name(name) for name in query.directors),
        query.imdb_id,
    ]
    occasion = [fold(query.festival or ""), query.edition if own_year is not None else query.year]
    return f"{_digest(film)}{_BETWEEN}{_digest(occasion)}"


def same_film(one: str, other: str) -> bool:
    """Whether two keys say the same of the film, at whatever occasion."""
    return one.partition(_BETWEEN)[0] == other.partition(_BETWEEN)[0]


def _digest(facts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:_LENGTH]
