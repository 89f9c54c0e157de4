"""What both layouts of an event page come down to, before it becomes records."""

from __future__ import annotations

from dataclasses import dataclass

from cinegraph_core import FilmKind


@dataclass(frozen=True, slots=True)
class Title:
    """A film of a nomination; ``title`` is IMDb's English display title."""

    id: str | None
    title: str
    original_title: str | None = None
    year: int | None = None
    kind: FilmKind = "unknown"
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A person or company of a nomination; ``note`` is what stands in brackets after the name, e.g. ``(producer)``."""

    id: str | None
    name: str
    note: str | None = None
    is_company: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One nomination. Primary is what is nominated (a film, or a person), secondary what is printed below it."""

    id: str | None
    award: str
    category: str | None
    is_winner: bool
    primary: tuple[Title | Name, ...]
    secondary: tuple[Title | Name, ...]
    notes: str | None = None
    characters: tuple[str, ...] = ()

    @property
    def titles(self) -> tuple[Title, ...]:
        """Every film, primary ones first."""
        return tuple(entity for entity in self.primary + self.secondary if isinstance(entity, Title))

    @property
    def names(self) -> tuple[Name, ...]:
        """Every person and company, primary ones first."""
        return tuple(entity for entity in self.primary + self.secondary if isinstance(entity, Name))


@dataclass(frozen=True, slots=True)
class EventData:
    """An event page: which edition it says it is, and its nominations; ``event`` is ``None`` where the page is silent."""

    event: str | None
    year: int
    instance: int
    name: str | None
    entries: tuple[Entry, ...]
    truncated: str = ""
