"""How alike two titles, or two people's names, are: symmetric, from 0 (nothing in common) to 1 (the same)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from cinegraph_core.matching.titles import PART_COST, Spelling, spellings

SAME_KEY = 0.96
"""Agreement of titles that differ only in an article or in how their words are joined."""
ROMANISED = 0.95
"""Agreement of titles that differ only in how they were brought into plain Latin letters (``Pokayaniye``, ``Ueber uns``)."""
NORMALISED = 0.94
"""From here on two titles are the same title, printed differently (brackets and double titles included)."""
FUZZY = 0.8
"""From here on one is the other with a slip of the pen."""

# Sounds that transcriptions write in several ways, longest first; folded alike on both sides, they need not be exact.
_SOUNDS = (
    (re.compile(r"shch|sch|sh|zh|sz"), "s"),
    (re.compile(r"ch|cz|tsch|ts|tz"), "c"),
    (re.compile(r"kh|gh"), "h"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"[yj]"), "i"),
    (re.compile(r"w"), "v"),
    (re.compile(r"io"), "e"),
    (re.compile(r"ou"), "u"),
    (re.compile(r"(?<=[aou])e"), ""),
    (re.compile(r"i+(?=[aeou])|(?<=[aeou])i+"), "i"),
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"iie|ie"), "e"),
)
_FUZZY_SHARE = 0.95
_REORDERED_SHARE = 0.9
_CONFLICT_SHARE = 0.6
_LEFTOVER_SHARE = 0.75
_SHORTEST_FUZZY = 5
_SAME_WORD = 75.0
_SAME_NAME = 85.0


@lru_cache(maxsize=65_536)
def agreement(a: str, b: str) -> float:
    """Return how well two printed titles agree, over all the ways to read each."""
    if not a.strip() or not b.strip():
        return 0.0
    left, right = spellings(a), spellings(b)
    numbers_differ = left[0].numbers != right[0].numbers
    return max(_pair(one, other, numbers_differ=numbers_differ) for one in left for other in right)


def best_agreement(title: str, others: Iterable[str]) -> tuple[float, str]:
    """Return the best agreement of a title with any of the others, and which one that is (``(0.0, "")`` if none)."""
    return max(((agreement(title, other), other) for other in others if other), default=(0.0, ""))


def _pair(one: Spelling, other: Spelling, *, numbers_differ: bool) -> float:
    cost = max(one.cost, other.cost)
    if min(one.cost, other.cost) >= PART_COST:
        return 0.0  # the part that two titles share says nothing: "Three Colours: White" and "Three Colours: Red"
    if one.words == other.words:
        alike = 1.0
    elif one.compact == other.compact:
        alike = SAME_KEY
    elif min(len(one.compact), len(other.compact)) >= _SHORTEST_FUZZY and _sound(one.compact) == _sound(other.compact):
        alike = ROMANISED
    else:
        alike = _FUZZY_SHARE * _fuzzy(one, other)
        numbers_differ = numbers_differ or one.numbers != other.numbers
    if numbers_differ and (cost or alike < SAME_KEY):
        alike *= _CONFLICT_SHARE
    return max(0.0, alike - cost)


@lru_cache(maxsize=65_536)
def _sound(compact: str) -> str:
    """Return the letters with every transcription of a sound written alike."""
    for pattern, sound in _SOUNDS:
        compact = pattern.sub(sound, compact)
    return compact


def _fuzzy(one: Spelling, other: Spelling) -> float:
    if min(len(one.compact), len(other.compact)) < _SHORTEST_FUZZY:
        return 0.5 * Levenshtein.normalized_similarity(one.compact, other.compact)
    ordered = Levenshtein.normalized_similarity(one.compact, other.compact)
    reordered = Levenshtein.normalized_similarity("".join(sorted(one.words)), "".join(sorted(other.words)))
    leftover = _unmatched(one.words, other.words) and _unmatched(other.words, one.words)
    return max(ordered, _REORDERED_SHARE * reordered) * (
        _LEFTOVER_SHARE if leftover and len(one.words) > 1 < len(other.words) else 1.0
    )


def _unmatched(parts: tuple[str, ...], among: tuple[str, ...]) -> bool:
    """Whether some word of three letters or more has nothing like it on the other side, joined words allowed."""
    whole = "".join(among)
    return any(
        len(word) > 2 and word not in whole and all(fuzz.ratio(word, other) < _SAME_WORD for other in among) for word in parts
    )


# ---------------------------------------------------------------------------------------------------- people


@lru_cache(maxsize=65_536)
def _name_words(name: str) -> tuple[str, ...]:
    plain = anyascii(name.casefold()).casefold().replace("'", "")
    return tuple("".join(c if c.isalnum() else " " for c in plain).split())


@lru_cache(maxsize=65_536)
def names_agree(a: str, b: str) -> float:
    """Return how alike two people's names are; order, capitals, accents, script and initials do not matter."""
    left, right = _name_words(a), _name_words(b)
    if not left or not right:
        return 0.0
    if sorted("".join(left)) == sorted("".join(right)):  # any order, and "Hsiao-hsien" joined or not
        return 1.0
    if min(len(left), len(right)) == 1:
        return max(fuzz.ratio(one, other) for one in left for other in right) / 100
    if _initials_agree(left, right) or _initials_agree(right, left):
        return 0.95
    ratio = max(fuzz.ratio(" ".join(sorted(left)), " ".join(sorted(right))), fuzz.ratio("".join(left), "".join(right)))
    shared = set(left) & set(right)
    contained = len(shared) >= 2 and (shared == set(left) or shared == set(right))
    return 0.95 if contained else ratio / 100


def _initials_agree(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """Whether ``j panahi`` is ``jafar panahi``: one full word shared, every other one an initial of a different word."""
    initials = [word for word in short if len(word) == 1]
    complete = [word for word in short if len(word) > 1]
    rest = [word for word in full if word not in complete]
    return (
        bool(initials)
        and any(len(word) > 2 for word in complete)
        and set(complete) <= set(full)
        and all(any(word.startswith(initial) for word in rest) for initial in initials)
    )


def directors_agree(asked: Iterable[str], known: Iterable[str]) -> float | None:
    """Return the best likeness between any two of the directors, ``None`` where either side is unknown."""
    ours, theirs = list(asked), list(known)
    if not ours or not theirs:
        return None
    return max(names_agree(one, other) for one in ours for other in theirs)


def same_person(likeness: float) -> bool:
    """Whether a likeness of names is that of one person."""
    return likeness * 100 >= _SAME_NAME
