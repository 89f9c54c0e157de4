"""Who and what won, from the text after an award's name; titles stand between marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cinegraph_core import Film, FilmKind, Person
from cinegraph_festivals.text import collapse, split_countries, split_names, split_title

MARK_START, MARK_END = "⟦", "⟧"

_MARKED = re.compile(rf"{MARK_START}([^{MARK_START}{MARK_END}]*){MARK_END}")
_ADJACENT = re.compile(rf"{MARK_END}\s*{MARK_START}")
_NESTED = re.compile(rf"{MARK_START}\s*{MARK_START}|{MARK_END}\s*{MARK_END}")
_UNMARKED_AFTER_NAME = re.compile(r"\b((?:in|for) the films?)\s+(.+?)(?=\s+by\s|\s*\(|\s*$)")
_UNMARKED_FIRST = re.compile(r"^(.+?)(?=\s+by\s)")
_FOR_THE_FILM = re.compile(r"(?P<names>[^()]+?)[\s,]+(?:in|for)(?:\s+the\s+films?)?\s*$")
_AFTER_TITLE = re.compile(
    r"\s*(?:\((?P<english>[^()]*)\)(?=\s*(?:by\b|\()))?\s*,?\s*(?:by\s+(?P<directors>[^()]+?)\s*(?=\(|$|\band\s*$))?"
    r"\s*(?:\((?P<countries>[^()]*)\))?(?P<tail>.*)"
)
_YEAR = re.compile(r"(?:18|19|20)\d\d")
_LONGEST_NAME = 6
_ROLES = (
    (re.compile(r"\bbest (?:young )?act(?:or|ress)\b|coppa volpi|volpi cup|mastroianni", re.IGNORECASE), "actor"),
    (re.compile(r"\bbest director\b|\bbest direction\b", re.IGNORECASE), "director"),
    (re.compile(r"\bscreenplay\b", re.IGNORECASE), "screenwriter"),
)


@dataclass(frozen=True, slots=True)
class _Printed:
    """One film with what stands around it: the people before it and its directors, countries and year after it."""

    names: tuple[str, ...]
    title: str
    directors: tuple[str, ...]
    countries: tuple[str, ...]
    year: int | None


def recipients(text: str, *, award: str, section: str | None) -> tuple[tuple[Film, ...], tuple[Person, ...]]:
    """Return the films and the people an award went to.

    People named before a film are the ones honoured; where none are, the film's directors stand as its people. Without a
    film everybody named is honoured.
    """
    role = next((word for pattern, word in _ROLES if pattern.search(award)), "honoree")
    marked = _mark(text)
    if MARK_START not in marked:
        return (), tuple(Person(name=name, role=role) for name in _people_alone(marked))
    printed = tuple(_films(marked))
    films = tuple(_film(item, role, _kind(award, section)) for item in printed)
    honoured = tuple(Person(name=name, role=role) for item in printed for name in item.names)
    directors = tuple(Person(name=name, role="director") for item in printed for name in item.directors)
    return films, honoured or directors


def _people_alone(text: str) -> tuple[str, ...]:
    names = split_names(re.sub(r"\([^()]*\)", "", text))
    # A sentence about the prize is not a list of people.
    return names if all(len(name.split()) <= _LONGEST_NAME for name in names) else ()


def _mark(text: str) -> str:
    marked = _ADJACENT.sub(" ", _NESTED.sub(lambda match: match[0][0], text))
    if MARK_START in marked:
        return marked
    marked = _UNMARKED_AFTER_NAME.sub(rf"\1 {MARK_START}\2{MARK_END}", marked)
    return marked if MARK_START in marked else _UNMARKED_FIRST.sub(rf"{MARK_START}\1{MARK_END}", marked)


def _films(marked: str) -> Iterator[_Printed]:
    before, *pieces = _MARKED.split(marked)
    for title, after in zip(pieces[::2], pieces[1::2], strict=True):
        match = _AFTER_TITLE.fullmatch(_cut_next_names(after))
        facts = match.groupdict() if match else {}
        places = split_countries(facts.get("countries") or "")
        yield _Printed(
            names=_names_before(before),
            title=collapse(f"{title} ({facts['english']})" if facts.get("english") else title),
            directors=split_names(facts.get("directors") or ""),
            countries=tuple(place for place in places if not _YEAR.fullmatch(place)),
            year=next((int(place) for place in places if _YEAR.fullmatch(place)), None),
        )
        before = after


def _names_before(text: str) -> tuple[str, ...]:
    own = re.split(r"\)\s*(?:,|;|and\b)?", text)[-1].strip()
    match = _FOR_THE_FILM.fullmatch(own)
    return split_names(match["names"]) if match and not own.startswith("by ") else ()


def _cut_next_names(after: str) -> str:
    """Return the text after a title without the people who belong to the next title; they stand behind its bracket."""
    own, bracket, rest = after.rpartition(")")
    return own + bracket if bracket and _FOR_THE_FILM.fullmatch(rest.strip()) else after


def _film(printed: _Printed, role: str, kind: FilmKind) -> Film:
    title = split_title(printed.title)
    return Film(
        title=title.title,
        original_title=title.original,
        year=printed.year,
        directors=printed.directors or (printed.names if role == "director" else ()),
        countries=printed.countries,
        kind="series" if title.is_series else kind,
    )


def _kind(award: str, section: str | None) -> FilmKind:
    label = f"{award} {section or ''}".lower()
    if "immersive" in label:
        return "immersive"
    if re.search(r"\bshort\b", label):
        return "short"
    return "movie" if section == "competition" else "unknown"
