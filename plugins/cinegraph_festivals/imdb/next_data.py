"""The layout since 2024: ``props.pageProps`` of ``__NEXT_DATA__``, as IMDb's GraphQL answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cinegraph_core import FilmKind
from cinegraph_festivals.imdb.entries import Entry, EventData, Name, Title
from cinegraph_festivals.text import collapse

_KINDS: Mapping[str, FilmKind] = {
    "movie": "movie",
    "tvMovie": "movie",
    "short": "short",
    "tvShort": "short",
    "tvSeries": "series",
    "tvMiniSeries": "series",
    "tvEpisode": "episode",
    "video": "video",
    "musicVideo": "video",
    "videoGame": "game",
}


def read_next_data(payload: Mapping[str, Any]) -> EventData:
    """Return the page's edition; a missing key raises :class:`KeyError` or :class:`TypeError`."""
    props = payload["props"]["pageProps"]
    info = props["editionInfo"]
    awards = props["edition"]["awards"] if props["edition"] is not None else ()
    return EventData(
        event=(payload.get("query") or {}).get("eventId"),
        year=int(info["year"]),
        instance=int(info.get("instanceWithinYear") or 1),
        name=_text(info.get("event"), "name", "text") or props.get("eventName"),
        entries=tuple(_entries(awards)),
        truncated="; ".join(_left_out(awards)),
    )


def _categories(awards: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    for award in awards:
        for edge in award["nominationCategories"]["edges"]:
            category = _text(edge["node"].get("category"), "text") or None
            yield collapse(award["text"]), category, edge["node"]["nominations"]


def _entries(awards: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    for award, category, nominations in _categories(awards):
        for edge in nominations["edges"]:
            yield _entry(award, category, edge["node"])


def _left_out(awards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for award in awards:
        if missing := _missing(award["nominationCategories"]):
            yield f"{collapse(award['text'])}: {missing} categories"
    for name, category, nominations in _categories(awards):
        if missing := _missing(nominations):
            label = f"{name} / {category}" if category else name
            yield f"{label}: {missing} nominations after the first {len(nominations['edges'])}"


def _missing(connection: Mapping[str, Any]) -> str:
    total, came = connection.get("total"), len(connection["edges"])
    if isinstance(total, int) and total > came:
        return str(total - came)
    return "some" if (connection.get("pageInfo") or {}).get("hasNextPage") else ""


def _entry(award: str, category: str | None, node: Mapping[str, Any]) -> Entry:
    entities = node["awardedEntities"] or {}
    return Entry(
        id=node.get("id"),
        award=award,
        category=category,
        is_winner=bool(node["isWinner"]),
        primary=(*_titles(entities, "awardTitles"), *_names(entities, "awardNames"), *_companies(entities, "awardCompanies")),
        secondary=(
            *_titles(entities, "secondaryAwardTitles"),
            *_names(entities, "secondaryAwardNames"),
            *_companies(entities, "secondaryAwardCompanies"),
        ),
        notes=_notes(node),
    )


def _titles(entities: Mapping[str, Any], field: str) -> Iterator[Title]:
    for awarded in entities.get(field) or ():
        title = awarded["title"]
        name, original = _text(title, "titleText", "text"), _text(title, "originalTitleText", "text")
        yield Title(
            id=title.get("id"),
            title=name or original,
            original_title=original if name and original and original != name else None,
            year=(title.get("releaseYear") or {}).get("year") or (title.get("releaseDate") or {}).get("year"),
            kind=_KINDS.get(_text(title, "titleType", "id"), "unknown"),
            note=_note(awarded.get("note")),
        )


def _names(entities: Mapping[str, Any], field: str) -> Iterator[Name]:
    for awarded in entities.get(field) or ():
        name = awarded["name"]
        yield Name(id=name.get("id"), name=_text(name, "nameText", "text"), note=_note(awarded.get("note")))


def _companies(entities: Mapping[str, Any], field: str) -> Iterator[Name]:
    for awarded in entities.get(field) or ():
        company = awarded["company"]
        name = _text(company, "companyText", "text")
        yield Name(id=company.get("id"), name=name, note=_note(awarded.get("note")), is_company=True)


def _notes(node: Mapping[str, Any]) -> str | None:
    episodes = (_text(episode, "titleText", "text") for episode in node.get("forEpisodes") or ())
    return "; ".join(part for part in (_note(node.get("notes")), *episodes) if part) or None


def _note(note: Any) -> str | None:
    return (_text(note, "plainText") if isinstance(note, Mapping) else collapse(note)) or None


def _text(value: Any, *path: str) -> str:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return collapse(value)
