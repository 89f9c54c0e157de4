"""Under which form a title is filed, and the trigrams by which that form is found when it is misspelt."""

from __future__ import annotations

from collections.abc import Iterable

from cinegraph_core.matching.titles import HALF_COST, spellings, without_article, words

_MOST_TRIGRAMS = 500


def key_of(title: str) -> str:
    """Return the normal form under which a title is filed: its normal words joined, without a leading article."""
    return _filed(words.__wrapped__(title))


def keys_of(titles: Iterable[str]) -> set[str]:
    """Return the normal form of every full reading of these titles; the half of a double title is a full one."""
    keys = {_filed(reading.words) for title in titles for reading in spellings(title) if reading.cost <= HALF_COST}
    return keys - {""}


def trigrams(key: str) -> list[str]:
    """Return the distinct trigrams of a normal form, in their order; the end of an endless one is left out."""
    return list(dict.fromkeys(key[at : at + 3] for at in range(min(len(key) - 2, _MOST_TRIGRAMS))))


def _filed(parts: tuple[str, ...]) -> str:
    # Half a surrogate pair, which no database takes, may be in a title that a program made.
    return "".join(without_article(parts)).encode("utf-8", "replace").decode("utf-8")
