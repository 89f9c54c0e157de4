"""Reading what festivals print: white space, names, titles, runtimes, and keys made of what was printed."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field

from parsel import Selector
from w3lib.encoding import html_to_unicode

from cinegraph_core import Answer

_NAMES = re.compile(r"\s*[,;]\s*(?:and\s+)?|\s+(?:and|&)(?:\s+|$)|^and\s+")
_SERIES = re.compile(r"\s*\((?:ep(?:s|isodes?)?\b|chapters\b|seasons?\b)[^()]*\)", re.IGNORECASE)
# "Birdman or (The Unexpected Virtue of Ignorance)" is one title; "(Part Two)", "(Restored)" or "(2026)" is no translation.
_TWO_TITLES = re.compile(
    r"(?P<original>.+?)(?<!\s)(?<!\bor)\s*"
    r"\((?P<english>(?!(?:part|chapter|vol|restored|director|extended)\b)[^()]*[^\W\d_][^()]*)\)",
    re.IGNORECASE,
)
_RUNTIME = re.compile(r"(\d{1,4})\s*(?:[’'′´`]|min\b)")


def collapse(text: str | None) -> str:
    """Return the text with every run of white space as one blank, none at the ends."""
    return " ".join((text or "").split())


def page_text(answer: Answer) -> str:
    """Return the page as text, in the encoding its header or its markup declares."""
    _, text = html_to_unicode(answer.headers.get("content-type"), answer.body, default_encoding="utf-8")
    return text


def page_title(page: Selector) -> str:
    """Return what stands in ``<title>``, or an empty text."""
    return collapse(page.xpath("string(//head/title | //title)").get())


def split_names(text: str) -> tuple[str, ...]:
    """Return the names of a list such as ``A, B and C``."""
    return tuple(name for part in _NAMES.split(text) if (name := collapse(part).strip(" .–-")))


def split_countries(text: str) -> tuple[str, ...]:
    """Return the countries of a list such as ``Denmark, Sweden / Latvia``."""
    return tuple(country for part in re.split(r"[,/;]", text) if (country := collapse(part)))


def runtime_minutes(text: str) -> int | None:
    """Return the minutes of ``80’``, ``156'`` or ``80 min``; ``None`` where there are none."""
    match = _RUNTIME.search(text)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class PrintedTitle:
    """A title taken apart: ``title`` is the English one where two are printed, ``original`` then the other."""

    title: str
    original: str | None
    is_series: bool


def split_title(printed: str) -> PrintedTitle:
    """Take ``Original (English) (Ep. 1-7)`` apart; a title without brackets stands for itself."""
    whole = collapse(printed)
    bare = collapse(_SERIES.sub("", whole))
    is_series = bare != whole
    if match := _TWO_TITLES.fullmatch(bare):
        return PrintedTitle(collapse(match["english"]), collapse(match["original"]), is_series)
    return PrintedTitle(bare or whole, None, is_series)


@dataclass(slots=True)
class KeyMaker:
    """Makes keys for statements to which the site itself gives no id.

    A key is the first 20 hex digits of the SHA-256 of what was printed, upper and lower case alike; whether it won is left
    out, so that a late winner keeps its key. Exact twins on one page are told apart by their ordinal.
    """

    seen: Counter[str] = field(default_factory=Counter)

    def key(self, *parts: object) -> str:
        """Return the key of a statement made of these parts (texts, ``None``, and tuples of texts)."""
        canonical = json.dumps(parts, ensure_ascii=False).casefold()
        digest = hashlib.sha256(collapse(canonical).encode()).hexdigest()[:20]
        self.seen[digest] += 1
        return digest if self.seen[digest] == 1 else f"{digest}-{self.seen[digest]}"
