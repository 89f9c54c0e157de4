"""Editions typed by hand, for tests of storage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cinegraph_core import Edition, Film, Nomination, Page, Person, Statement

NOW = 1_700_000_000.0
FETCHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OFFICIAL, IMDB = "venice_official", "imdb_event"
URLS = {OFFICIAL: "https://www.labiennale.org/en/awards", IMDB: "https://www.imdb.com/event/ev0000681/2024/1/"}
ALIASES = {"golden lion for best film": "Golden Lion", "golden lion / best film": "Golden Lion"}


def statement(source: str = OFFICIAL, *, provenance: Any = "live", url: str | None = None) -> Statement:
    return Statement(name=source, url=url or URLS[source], parser="test", fetched_at=FETCHED, provenance=provenance)


def nomination(key: str, *, source: str = OFFICIAL, films: Any = (), people: Any = (), **fields: Any) -> Nomination:
    said = statement(source, provenance=fields.pop("provenance", "live"), url=fields.pop("url", None))
    films = tuple(Film(title=film) if isinstance(film, str) else film for film in films)
    people = tuple(Person(name=person, role="director") if isinstance(person, str) else person for person in people)
    return Nomination(key=key, source=said, films=films, people=people, **fields)


def edition(*nominations: Nomination, pages: Any = None, **fields: Any) -> Edition:
    """Venice 2024 with one answered page per source and page that speaks, unless pages are given."""
    if pages is None:
        spoken = dict.fromkeys((said.source.name, said.source.url) for said in nominations)
        pages = [Page(source=source, url=url, outcome="ok", nominations=1) for source, url in spoken]
    defaults: dict[str, Any] = {"festival": "venice", "year": 2024}
    return Edition(**(defaults | fields), nominations=nominations, pages=tuple(pages))
