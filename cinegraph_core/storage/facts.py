"""What several sources say of one film: the official site first, the others fill what is empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from cinegraph_core.records import Film
from cinegraph_core.storage.tables import FilmRow, NominationSourceRow

Facts = Mapping[str, Any]
_FIELDS = ("title", "original_title", "year", "runtime_minutes", "kind", "directors", "countries")
_SILENT: tuple[Any, ...] = (None, "", "unknown", [], ())
S = TypeVar("S", bound=NominationSourceRow)


def rank(source: str) -> tuple[bool, str]:
    """Return the order in which sources are believed."""
    return (not source.endswith("_official"), source)


def in_order(statements: Iterable[S]) -> list[S]:
    """Return statements, the most believed first."""
    return sorted(statements, key=lambda said: (*rank(said.source), said.id))


def facts_of(film: Film) -> dict[str, Any]:
    """Return what a printed film says, without what it leaves open."""
    said = {name: getattr(film, name) for name in _FIELDS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items() if value not in _SILENT}


def add_facts(row: FilmRow, source: str, fresh: Facts) -> None:
    """Let a source correct what it said before, then set the film's columns to what all say together."""
    before = row.facts.get(source, {})
    corrected = {name: value for name, value in fresh.items() if not _is_in_capitals(value, before.get(name))}
    row.facts = {**row.facts, source: {**before, **corrected}}
    agree(row)


def _is_in_capitals(said: Any, before: Any) -> bool:
    """Return whether this is what was said before, but in capitals, as awards pages print it: that corrects nothing."""
    return isinstance(said, str) and isinstance(before, str) and said.isupper() and said.casefold() == before.casefold()


def agree(row: FilmRow) -> None:
    """Set the film's columns from its facts."""
    together: dict[str, Any] = {}
    for source in sorted(row.facts, key=rank):
        together = {**row.facts[source], **together}
    for name in _FIELDS:
        if name in together:
            setattr(row, name, together[name])
