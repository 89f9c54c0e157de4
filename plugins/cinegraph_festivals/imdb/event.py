"""IMDb's event page as records: :func:`read_event` is the source's ``read`` for both layouts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cinegraph_core import Film, FilmKind, LayoutChangedError, NoDataError, Nomination, PageInput, PageResult, Person, Statement
from cinegraph_festivals.imdb.directors import directors, note_role
from cinegraph_festivals.imdb.entries import Entry, EventData, Name, Title
from cinegraph_festivals.imdb.next_data import read_next_data
from cinegraph_festivals.imdb.payload import Parser, find_payload
from cinegraph_festivals.imdb.widget import read_widget
from cinegraph_festivals.text import KeyMaker, page_text

_SHORT = re.compile(r"\bshort\b", re.IGNORECASE)
_IMMERSIVE = re.compile(r"\bVR\b|\bvirtual reality\b|\bimmersive\b", re.IGNORECASE)


def read_event(page: PageInput) -> PageResult:
    """Return every nomination of an event page.

    Raises :class:`LayoutChangedError` where the data is missing, built otherwise or of another edition than the one asked
    for (IMDb redirects to the latest), :class:`NoDataError` where the edition has no awards, and
    :class:`InvalidResponseError` for broken JSON. ``truncated`` names the categories that the page cut.
    """
    url = page.answer.url
    parser, payload = find_payload(page_text(page.answer), url)
    data = _data(parser, payload, url)
    _check_edition(data, page.request.context, url)
    if not data.entries:
        raise NoDataError(f"IMDb lists no nominations for {data.name or data.event} {data.year} ({url})", url=url)
    statement = Statement(
        name=page.request.statement,
        url=url,
        parser=parser,
        fetched_at=datetime.fromtimestamp(page.fetched_at, tz=UTC),
        provenance=page.provenance,
    )
    festival, keys = page.request.context["festival"], KeyMaker()
    nominations = tuple(_nomination(entry, statement, festival, keys) for entry in data.entries)
    return PageResult(nominations=nominations, instance=data.instance, name=data.name, truncated=data.truncated)


def _data(parser: Parser, payload: Mapping[str, Any], url: str) -> EventData:
    try:
        return read_widget(payload) if parser == "event_widget" else read_next_data(payload)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"the event data on {url} ({parser}) is not built as it used to be: {type(error).__name__} {error}"
        raise LayoutChangedError(message, url=url) from error


def _check_edition(data: EventData, wanted: Mapping[str, Any], url: str) -> None:
    asked = _edition(wanted["event"], wanted["year"], wanted["instance"])
    found = _edition(data.event or wanted["event"], data.year, data.instance)
    if found != asked:
        raise LayoutChangedError(f"asked for {asked}, but {url} holds {found}", url=url)


def _edition(event: str, year: int, instance: int) -> str:
    return f"event {event}, year {year}, edition {instance}"


def _nomination(entry: Entry, source: Statement, festival: str, keys: KeyMaker) -> Nomination:
    named = directors(entry, festival)
    return Nomination(
        key=entry.id or keys.key(entry.award, entry.category, _ids(entry.titles), _ids(entry.names), entry.notes),
        source=source,
        award=entry.award,
        category=entry.category,
        is_winner=entry.is_winner,
        notes=entry.notes,
        films=tuple(_film(title, entry, named) for title in entry.titles),
        people=tuple(_person(name, entry, named) for name in entry.names),
        as_printed=_as_printed(entry),
    )


def _ids(entities: tuple[Title, ...] | tuple[Name, ...]) -> tuple[str, ...]:
    return tuple(entity.id or (entity.title if isinstance(entity, Title) else entity.name) for entity in entities)


def _film(title: Title, entry: Entry, named: tuple[Name, ...]) -> Film:
    return Film(
        title=title.title,
        original_title=title.original_title,
        year=title.year,
        imdb_id=title.id,
        directors=tuple(name.name for name in named),
        kind=title.kind if title.kind != "unknown" else _kind_by_award(title, entry),
    )


def _kind_by_award(title: Title, entry: Entry) -> FilmKind:
    label = f"{entry.award} / {entry.category or ''} {title.note or ''}"
    if _IMMERSIVE.search(label):
        return "immersive"
    return "short" if _SHORT.search(label) else "unknown"


def _person(name: Name, entry: Entry, named: tuple[Name, ...]) -> Person:
    standing = "nominee" if name in entry.primary else "credited"
    role = "director" if name in named else note_role(name) or standing
    return Person(name=name.name, imdb_id=name.id, role=role, kind="company" if name.is_company else "person")


def _as_printed(entry: Entry) -> str:
    label = f"{entry.award} / {entry.category}" if entry.category else entry.award
    lines = ", ".join(map(_printed, entry.primary)), ", ".join(map(_printed, entry.secondary)), ", ".join(entry.characters)
    return " | ".join(part for part in (label, *lines, entry.notes) if part)


def _printed(entity: Title | Name) -> str:
    if isinstance(entity, Name):
        return f"{entity.name} {entity.note}" if entity.note else entity.name
    extra = (f"({entity.original_title})" if entity.original_title else "", entity.note or "")
    return " ".join(part for part in (entity.title, *extra) if part)
