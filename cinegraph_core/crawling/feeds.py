"""Feed exporters that expand an edition into one line per nomination; other items are written as Scrapy writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from scrapy.exporters import CsvItemExporter, JsonItemExporter, JsonLinesItemExporter

from cinegraph_core.crawling.house import house_of
from cinegraph_core.records import Edition

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from cinegraph_core.crawling.ledger import Ledger

CSV_COLUMNS = (
    *("festival", "edition_year", "edition_number", "edition_instance", "section", "award", "category", "is_winner", "notes"),
    *("films_title", "films_original_title", "films_year", "films_imdb_id", "films_directors", "films_countries"),
    *("films_runtime_minutes", "films_kind", "films_match_status", "films_match_tmdb_id", "films_match_confidence"),
    *("films_match_score", "films_match_level", "films_match_strategy", "people_name", "people_imdb_id", "people_role"),
    *("source_name", "source_url", "source_fetched_at", "source_parser", "source_provenance"),
)
"""Every leaf of a line."""
_BETWEEN, _WITHIN = " | ", "; "
"""What stands between two films or people, and between two directors or countries of one film."""


class _Expanding:
    """Writes an edition as its lines; mixed into one of Scrapy's exporters."""

    _ledger: Ledger

    @classmethod
    def from_crawler(cls, crawler: Crawler, file: BinaryIO, **options: Any) -> Self:
        """Build it for a crawl, whose ledger holds the lines."""
        exporter = cls(file, **options)  # type: ignore[call-arg]
        exporter._ledger = house_of(crawler).ledger(crawler)
        return exporter

    def export_item(self, item: Any) -> None:
        """Write an edition's lines, or any other item as it is."""
        for line in self._ledger.lines(item) if isinstance(item, Edition) else (item,):
            super().export_item(line)  # type: ignore[misc]


class LinesExporter(_Expanding, JsonLinesItemExporter):
    """One JSON object per line."""


class ArrayExporter(_Expanding, JsonItemExporter):
    """One JSON array."""


class TableExporter(_Expanding, CsvItemExporter):
    """One row per line, nested names joined with ``_``."""

    def export_item(self, item: Any) -> None:
        """Write an edition's rows, or any other item as it is."""
        if not isinstance(item, Edition):
            CsvItemExporter.export_item(self, item)
            return
        self.fields_to_export = self.fields_to_export or CSV_COLUMNS
        for line in self._ledger.lines(item):
            CsvItemExporter.export_item(self, flat(line))


EXPORTERS: Mapping[str, type[_Expanding]] = {
    "json": ArrayExporter,
    "jsonlines": LinesExporter,
    "jsonl": LinesExporter,
    "jl": LinesExporter,
    "csv": TableExporter,
}
"""Exporter by feed format."""


def flat(line: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """Return a line's leaves under their joined names; a leaf that nothing has is left out.

    Several films or people are joined in each column, each in its own place (empty if need be), so that the columns can be
    taken apart again side by side; several values of one of them are joined within its place.
    """
    return {name: value for name, value in _leaves("", line).items() if value is not None}


def _leaves(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {
            leaf: below for key, part in value.items() for leaf, below in _leaves(f"{name}_{key}" if name else key, part).items()
        }
    if isinstance(value, list | tuple):
        return _in_places(name, value)
    return {name: value}


def _in_places(name: str, values: Sequence[Any]) -> dict[str, Any]:
    if not all(isinstance(value, Mapping) for value in values):
        return {name: _WITHIN.join(map(str, values))}
    places = [_leaves(name, value) for value in values]
    if len(places) == 1:
        return places[0]
    columns = dict.fromkeys(leaf for place in places for leaf, value in place.items() if value is not None)
    return {leaf: _BETWEEN.join("" if place.get(leaf) is None else str(place[leaf]) for place in places) for leaf in columns}
