"""What a crawl has stored so far, for the pipelines and feeds that come after the store."""

from __future__ import annotations

from typing import Any

from cinegraph_core.records import Edition
from cinegraph_core.storage.editions import StoredEdition


class Ledger:
    """Remembers by festival, year and instance what became of each edition of one crawl."""

    def __init__(self) -> None:
        self._stored: dict[tuple[str, int, int], StoredEdition] = {}
        self._lines: dict[tuple[str, int, int], list[dict[str, Any]]] = {}

    def enter(self, edition: Edition, stored: StoredEdition) -> None:
        """Note that an edition was stored."""
        self._stored[_key(edition)] = stored

    def stored(self, edition: Edition) -> StoredEdition | None:
        """Return what was stored of an edition, ``None`` if nothing was."""
        return self._stored.get(_key(edition))

    def write_lines(self, edition: Edition, lines: list[dict[str, Any]]) -> None:
        """Keep an edition's feed lines until the feeds take them."""
        self._lines[_key(edition)] = lines

    def lines(self, edition: Edition) -> list[dict[str, Any]]:
        """Return the feed lines of an edition; none for one that was not stored."""
        return self._lines.get(_key(edition), [])


def _key(edition: Edition) -> tuple[str, int, int]:
    return edition.festival, edition.year, edition.instance
