"""Editions of the Venice festival: their numbers, and whether a page belongs to the one that was asked for."""

from __future__ import annotations

from datetime import UTC, datetime

from parsel import Selector

from cinegraph_core import LayoutChangedError, PageInput, Statement
from cinegraph_festivals.text import page_title

FIRST_YEAR = 1932
COUNTED_SINCE = 1979
_YEAR_BEFORE_FIRST = 1943


def edition_number(year: int) -> int | None:
    """Return the festival's own count (2024 is the 81st); ``None`` before 1979, when gaps upset the count."""
    return year - _YEAR_BEFORE_FIRST if year >= COUNTED_SINCE else None


def ordinal(number: int) -> str:
    """Return the number with its English ending: 81st, 82nd, 83rd, 84th, 111th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def check_title(page: Selector, signs: tuple[str, ...], url: str) -> None:
    """Raise :class:`LayoutChangedError` unless the page's title names the edition by one of ``signs``."""
    title = page_title(page)
    if not any(sign in title for sign in signs):
        wanted = " or ".join(signs)
        raise LayoutChangedError(f"asked for the edition {wanted}, but the title of {url} is {title!r}", url=url)


def statement(page: PageInput, parser: str) -> Statement:
    """Return who says what this page says."""
    return Statement(
        name=page.request.statement,
        url=page.answer.url,
        parser=parser,
        fetched_at=datetime.fromtimestamp(page.fetched_at, tz=UTC),
        provenance=page.provenance,
    )
