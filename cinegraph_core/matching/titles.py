"""Film titles in one normal form, the spellings a printed title stands for, and how well two titles agree.

Everything here is pure and takes any string of any script. Transliteration is by ``anyascii``.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

# Leading articles of a dozen languages; a title may begin with one, lack it, or carry it at its end after a comma.
ARTICLES = frozenset(
    {
        *("the", "a", "an"),  # English
        *("le", "la", "les", "l", "un", "une", "des"),  # French
        *("el", "los", "las", "lo", "una", "unos", "unas"),  # Spanish
        *("il", "i", "gli", "uno"),  # Italian
        *("o", "os", "as", "um", "uma"),  # Portuguese
        *("der", "die", "das", "den", "dem", "ein", "eine", "einer"),  # German
        *("de", "het", "een"),  # Dutch
        *("en", "ett", "et", "det"),  # Danish, Norwegian, Swedish
        *("az", "egy"),  # Hungarian
        *("to", "ho"),  # Greek, transliterated
        *("al", "ha"),  # Arabic, Hebrew, transliterated
    }
)
_CONJUNCTIONS = frozenset({"and", "et", "und", "y", "e", "og", "och", "i", "ja", "ve", "kai"})
_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii")
_SMALL_NUMBERS = {word: str(value) for value, word in enumerate(_NUMBER_WORDS, start=1)}
_ROMAN = {word: str(value) for value, word in enumerate(_NUMERALS, start=1)}
_SPELT_OUT = {"dr": "doctor", "mr": "mister", "st": "saint", "vs": "versus"}
_LONE_LETTERS = frozenset({"i", "v", "x"})
_PART_WORDS = frozenset({"part", "vol", "volume", "chapter", "teil", "partie", "parte", "episode", "no", "nr"})

_ELIDED = re.compile(r"^(l|d|un|gl|dell|all)'\s*(?=\w)", re.IGNORECASE)
_MOVED = re.compile(r"^(?P<rest>.+?),\s*(?P<article>[^\W\d_]{1,5}'?)$")
_MOVED_INSIDE = re.compile(r",\s*(?P<article>[^\W\d_]{1,5}'?)(?=\s*[/(])")
_QUOTES = str.maketrans(dict.fromkeys("’‘`´ʻʼ′＇", "'"))
_FRACTION = re.compile(r"(?<=\d)(?=[½⅓⅔¼¾])")
_WORD = re.compile(r"[a-z0-9]+")
_NOISE = re.compile(
    r"""\s*[(\[]\s*(?:
        (?:18|19|20)\d\d | 4k | [23]d | tv | short(?:\s+film)? | court[\s-]m[ée]trage | documentary | doc |
        restored.* | restauré.* |
        (?:ep|eps|episodes?|chapters?|series|season)\b[^)\]]* | director'?s\s+cut | work\s+in\s+progress | uncut | q\s*&\s*a
        )\s*[)\]]""",
    re.IGNORECASE | re.VERBOSE,
)
_EPISODES = re.compile(
    r"""[\s,:–-]+(?:ep|eps|episodes?|épisodes?|chapters?|chapitres?|parts?|folgen?)\.?\s*\d+\s*(?:[-–,&]|and|to|à|bis)\s*\d+$""",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"^(?P<before>.*?)\s*[(\[](?P<inside>[^()\[\]]+)[)\]]\s*(?P<after>.*)$")
_SLASH = re.compile(r"\s*/\s*")
_AKA = re.compile(r"\s+(?:a\.?k\.?a\.?|aka)\s+", re.IGNORECASE)
_DASH = re.compile(r"\s+[–—-]\s+")
_COLON = re.compile(r"\s*:\s+")
_OR = re.compile(r",?\s+(?:or|oder|ou|ovvero|eller)\s*[:,(]\s*", re.IGNORECASE)

BRACKET_COST = 0.02
HALF_COST = 0.03
PART_COST = 0.12
"""What a spelling that is only a part of the printed title costs in agreement: of ``Original (English)`` least, of ``A / B``
a little more, of ``Main title: subtitle`` so much that it is never proof by itself."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to read a printed title: the text, its normal words, and what reading it so costs (0–1)."""

    text: str
    words: tuple[str, ...]
    cost: float

    @property
    def compact(self) -> str:
        """The words joined, without a leading article: what two ways of printing one title share."""
        return "".join(without_article(self.words))

    @property
    def numbers(self) -> frozenset[str]:
        """The numbers in it; a lone 1 tells nothing, since first parts are often printed without."""
        return frozenset(word for word in self.words if word.isdigit()) - {"1"}


def clean(title: str) -> str:
    """Return the title as a person would type it: entities, white space and quotes mended, ``Piano, The`` turned round."""
    text = _FRACTION.sub(" ", html.unescape(title)).translate(_QUOTES)
    text = " ".join(unicodedata.normalize("NFKC", text).replace("⁄", "/").split())
    return _turned(_MOVED_INSIDE.sub("", text) if _MOVED_INSIDE.search(text) else text)


def _turned(text: str) -> str:
    moved = _MOVED.match(text)
    if moved is None or moved["article"].rstrip("'").casefold() not in ARTICLES:
        return text
    gap = "" if moved["article"].endswith("'") else " "
    return f"{moved['article']}{gap}{moved['rest']}"


@lru_cache(maxsize=65_536)
def words(title: str) -> tuple[str, ...]:
    """Return the normal form: transliterated lower-case words, numerals arabic, every "and" alike, part words gone.

    A title without a letter or digit (``…``) is its own only word.
    """
    text = _ELIDED.sub(r"\1 ", clean(title))
    joined = text.casefold().replace("&", " and ").replace("+", " and ")
    plain = anyascii(joined).casefold().replace("'", "")
    raw = _WORD.findall(plain)
    if not raw:
        return (" ".join(text.casefold().split()),) if text else ()
    return tuple(_without_part_words([_normal_word(word, at, len(raw)) for at, word in enumerate(raw)]))


def _normal_word(word: str, at: int, count: int) -> str:
    if word in _CONJUNCTIONS and 0 < at < count - 1:
        return "and"
    if word in _ROMAN and count > 1 and (word not in _LONE_LETTERS or at == count - 1):
        return _ROMAN[word]
    return _SMALL_NUMBERS.get(word) or _SPELT_OUT.get(word, word)


def _without_part_words(parts: list[str]) -> list[str]:
    return [
        word for at, word in enumerate(parts) if not (word in _PART_WORDS and at and "".join(parts[at + 1 : at + 2]).isdigit())
    ]


def without_article(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words without a leading article, unless no more than a letter would be left (``A-Z`` is not ``Z``)."""
    return parts[1:] if parts and parts[0] in ARTICLES and len("".join(parts[1:])) > 1 else parts


@lru_cache(maxsize=65_536)
def spellings(title: str) -> tuple[Spelling, ...]:
    """Return every way to read a printed title, the whole first; each reading once, at its lowest cost.

    ``Iddu (Sicilian Letters)`` is also ``Iddu`` and ``Sicilian Letters``; ``A / B`` is also ``A`` and ``B``;
    ``Show: Film`` is, at a price, also ``Show`` and ``Film``.
    """
    whole = _EPISODES.sub("", clean(_NOISE.sub("", title))) or clean(title)
    readings = [(whole, 0.0), *_brackets(whole), *_halves(whole), *_parts(whole)]
    found: dict[tuple[str, ...], Spelling] = {}
    for text, cost in readings:
        form = words(text)
        if form and (form not in found or cost < found[form].cost):
            found[form] = Spelling(_turned(text), form, cost)
    return tuple(found.values())


def _brackets(text: str) -> Iterable[tuple[str, float]]:
    match = _BRACKET.match(text)
    if match is None:
        return ()
    outside = " ".join(f"{match['before']} {match['after']}".split())
    return [(part, BRACKET_COST) for part in (outside, match["inside"].strip()) if part]


def _halves(text: str) -> Iterable[tuple[str, float]]:
    for separator in (_SLASH, _AKA):
        pieces = [piece for piece in separator.split(text) if any(map(str.isalpha, piece))]
        if len(pieces) > 1:
            yield from ((_turned(piece), HALF_COST) for piece in pieces)


def _parts(text: str) -> Iterable[tuple[str, float]]:
    for separator in (_COLON, _DASH, _OR):
        pieces = [piece for piece in separator.split(text, maxsplit=1) if piece]
        if len(pieces) > 1:
            yield from ((piece, PART_COST) for piece in pieces)


def numeral_variants(title: str) -> tuple[str, ...]:
    """Return the title with its numerals swapped, ``Rocky II`` for ``Rocky 2`` and back; empty if it has none."""
    parts = clean(title).split()
    to_roman = {value: word.upper() for word, value in _ROMAN.items()}

    def swapped(word: str, table: dict[str, str], *, lone: bool) -> str:
        bare = word.strip(":,.")
        known = bare.casefold() in table and (lone or bare.casefold() not in _LONE_LETTERS)
        return word.replace(bare, table[bare.casefold()]) if known else word

    found = []
    for table in (_ROMAN, to_roman):
        changed = [swapped(word, table, lone=at == len(parts) - 1 and at > 0) for at, word in enumerate(parts)]
        if changed != parts:
            found.append(" ".join(changed))
    return tuple(found)


def keywords(title: str, count: int = 3) -> str:
    """Return the ``count`` longest words of the title in their order, for a broad search; short titles stay whole."""
    parts = [word for word in re.findall(r"\w+", clean(title)) if word.casefold() not in ARTICLES]
    longest = sorted(range(len(parts)), key=lambda at: (-len(parts[at]), at))[:count]
    return " ".join(parts[at] for at in sorted(longest))
