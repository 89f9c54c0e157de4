"""What a crawl has stored so far, for the pipelines and feeds that come after the store, and for the report at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cinegraph_core.records import Edition, Page
from cinegraph_core.storage.editions import StoredEdition

_Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one edition: its pages, and what the store made of it."""

    festival: str
    year: int
    pages: tuple[Page, ...]
    stored: StoredEdition


class Ledger:
    """Remembers by festival, year and instance what became of each edition of one crawl."""

    def __init__(self) -> None:
        self.broken_feeds: dict[str, str] = {}
        """Every feed file that is not whole, so far or for good, and why."""
        self._entries: dict[_Key, Entry] = {}
        self._lines: dict[_Key, list[dict[str, Any]]] = {}

    @property
    def entries(self) -> list[Entry]:
        """Every edition that was stored, or found to have nothing to store, in the order in which they came."""
        return list(self._entries.values())

    def enter(self, edition: Edition, stored: StoredEdition) -> None:
        """Note that an edition was stored."""
        self._entries[_key(edition)] = Entry(edition.festival, edition.year, edition.pages, stored)

    def stored(self, edition: Edition) -> StoredEdition | None:
        """Return what was stored of an edition, ``None`` if nothing was."""
        entry = self._entries.get(_key(edition))
        return entry.stored if entry else None

    def write_lines(self, edition: Edition, lines: list[dict[str, Any]]) -> None:
        """Keep an edition's feed lines until the feeds take them."""
        self._lines[_key(edition)] = lines

    def lines(self, edition: Edition) -> list[dict[str, Any]]:
        """Return the feed lines of an edition; none for one that was not stored."""
        return self._lines.get(_key(edition), [])


def _key(edition: Edition) -> _Key:
    return edition.festival, edition.year, edition.instance
