"""Search as users of the real TMDb describe it.

Every word of the query but stop words must occur in one title of the film, the last word may be a prefix (three letters and
more), no typo is forgiven. Accents, case and apostrophes do not count. The order is relevance plus log popularity.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from cinegraph_replica.catalogue import Film

_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        """a an and are as at be but by for if in into is it no not of on or such
        that the their then there these they this to was will with"""
    )
)
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "'": "", "’": ""})
_EXACT, _EXACT_CONTENT, _PARTIAL = 3.0, 2.8, 1.5


def fold(text: str) -> str:
    """Return a text without case, accents and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def popularity(film_id: int) -> float:
    """Return a number between 1 and 20 that stays the same for an id; nobody's real figure."""
    return 1 + film_id * 2654435761 % 19_000 / 1000


def search(films: Iterable[Film], query: str, year: int | None = None) -> list[Film]:
    """Return the films that the query finds, best first; ``year`` is the release year."""
    wanted = _words(query)
    if not wanted:
        return []
    hits = []
    for film in films:
        if film.tmdb_id is None or year not in (None, film.year):
            continue
        relevance = max(_relevance(wanted, _words(title)) for title in film.titles)
        if relevance > 0:
            hits.append((-relevance - math.log1p(popularity(film.tmdb_id)), film.tmdb_id, film))
    return [film for _, _, film in sorted(hits, key=lambda hit: hit[:2])]


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _content(words: list[str]) -> list[str]:
    return [word for word in words if word not in _STOP_WORDS] or words


def _relevance(wanted: list[str], title: list[str]) -> float:
    """Return how well a title answers the query, 0 for not at all."""
    *body, last = content = _content(wanted)
    if not set(body).issubset(title) or not _begins(last, title):
        return 0.0
    if title == wanted:
        return _EXACT
    title_content = _content(title)
    if title_content == content:
        return _EXACT_CONTENT
    return _PARTIAL * len(content) / max(len(title_content), len(content))


def _begins(prefix: str, words: Sequence[str]) -> bool:
    return prefix in words or (len(prefix) >= 3 and any(word.startswith(prefix) for word in words))
