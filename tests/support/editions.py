"""Editions typed by hand, and what a database holds of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import SQLModel, func, select

from cinegraph_core import Edition, Film, Nomination, Page, Person, Statement
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import StoredEdition, store_edition
from cinegraph_core.storage.lines import edition_lines

NOW = 1_700_000_000.0
FETCHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OFFICIAL, IMDB = "venice_official", "imdb_event"
URLS = {OFFICIAL: "https://www.labiennale.org/en/awards", IMDB: "https://www.imdb.com/event/ev0000681/2024/1/"}
ALIASES = {"golden lion for best film": "Golden Lion", "golden lion / best film": "Golden Lion"}
LION: dict[str, Any] = {"award": "GOLDEN LION for Best Film"}
IMDB_LION: dict[str, Any] = {"source": IMDB, "award": "Golden Lion", "category": "Best Film"}


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


def venice() -> list[Any]:
    """A line-up and awards as two sources print them: shared and unshared, with and without films, people, ids."""
    salt = Film(title="THE SALT ROAD", original_title="LA VIA DEL SALE", directors=("MARIN Ada",), countries=("Italy",))
    salt_imdb = Film(title="The Salt Road", original_title="La via del sale", year=2024, imdb_id="tt1", kind="movie")
    return [
        nomination("s1", section="competition", films=[salt], as_printed="The Salt Road"),
        nomination("s2", section="competition", films=["Winter Harbour"]),
        nomination("a1", **LION, is_winner=True, films=[salt], people=["Ada Marin"], as_printed="GOLDEN LION …"),
        nomination("a2", award="Honorary Lion", people=["Ida Holm"]),
        nomination("i1", **IMDB_LION, is_winner=True, films=[salt_imdb], people=[Person("Ada Marin", "nm1", "nominee")]),
        nomination(
            "i2", **IMDB_LION, films=[Film("Winter Harbour", imdb_id="tt2")], people=[Person("Reel", "co1", kind="company")]
        ),
        nomination("i3", source=IMDB, award="Special Prize", category="Best Film", notes="for its courage"),
        nomination(
            "i4", source=IMDB, award="Queer Lion", category="Best Film", films=[Film("Twin", imdb_id="tt3"), Film("Echo")]
        ),
    ]


def store(database: Database, item: Edition, *, now: float = NOW) -> StoredEdition:
    with database.transaction() as session:
        return store_edition(session, item, aliases=ALIASES, now=now)


def rows(database: Database, table: type[Any]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table).order_by(table.id)).all()


def count(database: Database, table: type[SQLModel]) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def lines(database: Database, stored: StoredEdition) -> list[dict[str, Any]]:
    """What the feed shows of a stored edition."""
    with database.reading() as session:
        return edition_lines(session, stored.nomination_ids)
