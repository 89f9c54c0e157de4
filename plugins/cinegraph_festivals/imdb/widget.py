"""The layout until 2023: ``nomineesWidgetModel.eventEditionSummary`` with awards, categories and nominees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cinegraph_festivals.imdb.entries import Entry, EventData, Name, Title
from cinegraph_festivals.text import collapse


def read_widget(payload: Mapping[str, Any]) -> EventData:
    """Return the page's edition; a missing key raises :class:`KeyError` or :class:`TypeError`."""
    summary = payload["nomineesWidgetModel"]["eventEditionSummary"]
    return EventData(
        event=summary.get("eventId"),
        year=int(summary["year"]),
        instance=int(summary.get("occurrence") or 1),
        name=summary.get("eventName"),
        entries=tuple(_entries(summary["awards"])),
    )


def _entries(awards: list[Mapping[str, Any]]) -> Iterator[Entry]:
    for award in awards:
        for category in award["categories"]:
            for nomination in category["nominations"]:
                yield _entry(collapse(award["awardName"]), collapse(category["categoryName"]) or None, nomination)


def _entry(award: str, category: str | None, nomination: Mapping[str, Any]) -> Entry:
    return Entry(
        id=nomination.get("awardNominationId"),
        award=award,
        category=category,
        is_winner=bool(nomination["isWinner"]),
        primary=tuple(_entity(nominee) for nominee in nomination["primaryNominees"]),
        secondary=tuple(_entity(nominee) for nominee in nomination["secondaryNominees"]),
        notes=_notes(nomination),
        characters=tuple(nomination.get("characterNames") or ()),
    )


def _entity(nominee: Mapping[str, Any]) -> Title | Name:
    const, name, note = nominee.get("const"), collapse(nominee["name"]), collapse(nominee.get("note")) or None
    # Only films have an original name; it tells them from people where the id is missing.
    if (const or "").startswith("tt") or (not const and nominee.get("originalName")):
        return Title(id=const, title=name, original_title=collapse(nominee.get("originalName")) or None, note=note)
    return Name(id=const, name=name, note=note, is_company=(const or "").startswith("co"))


def _notes(nomination: Mapping[str, Any]) -> str | None:
    notes = collapse(nomination.get("notes"))
    named = [*(nomination.get("songNames") or ()), *(nomination.get("episodeNames") or ())]
    # The notes often repeat the song's name: For song "…".
    return "; ".join(part for part in (notes, *(name for name in named if name not in notes)) if part) or None
