"""What festivals printed: editions, nominations, and each statement with who made it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from cinegraph_core.storage.tables.base import Table, at_column, json_column, key_column


class FestivalRow(Table, table=True):
    """A festival, by its key (``venice``)."""

    __tablename__ = "festivals"

    id: int = key_column()
    key: str = Field(unique=True)


class EditionRow(Table, table=True):
    """One festival, one year; ``status`` is ``complete`` or ``partial``."""

    __tablename__ = "editions"
    __table_args__ = (UniqueConstraint("festival_id", "year", "instance"),)

    id: int = key_column()
    festival_id: int = Field(foreign_key="festivals.id")
    year: int
    instance: int = 1
    number: int | None = None
    name: str | None = None
    status: str
    provenance: str
    stored_at: datetime = at_column()
    updated_at: datetime = at_column()


class EditionPageRow(Table, table=True):
    """What became of a page of an edition the last time it was fetched."""

    __tablename__ = "edition_pages"
    __table_args__ = (UniqueConstraint("edition_id", "source", "url"),)

    id: int = key_column()
    edition_id: int = Field(foreign_key="editions.id")
    source: str
    url: str
    outcome: str
    detail: str = ""
    nominations: int = 0
    fetched_at: datetime = at_column()


class SectionRow(Table, table=True):
    """A section of a festival, as printed."""

    __tablename__ = "sections"
    __table_args__ = (UniqueConstraint("festival_id", "name"),)

    id: int = key_column()
    festival_id: int = Field(foreign_key="festivals.id")
    name: str


class AwardRow(Table, table=True):
    """An award of a festival, as printed."""

    __tablename__ = "awards"
    __table_args__ = (UniqueConstraint("festival_id", "name"),)

    id: int = key_column()
    festival_id: int = Field(foreign_key="festivals.id")
    name: str


class CategoryRow(Table, table=True):
    """A category of an award; two awards may each have a category of one name. Without award: printed alone."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("festival_id", "award_id", "name"),)

    id: int = key_column()
    festival_id: int = Field(foreign_key="festivals.id")
    award_id: int | None = Field(default=None, foreign_key="awards.id")
    name: str


class NominationRow(Table, table=True):
    """A nomination or selection, as its sources say together."""

    __tablename__ = "nominations"

    id: int = key_column()
    edition_id: int = Field(foreign_key="editions.id", index=True)
    section_id: int | None = Field(default=None, foreign_key="sections.id")
    award_id: int | None = Field(default=None, foreign_key="awards.id")
    category_id: int | None = Field(default=None, foreign_key="categories.id")
    is_winner: bool = False
    notes: str | None = None


class NominationFilmRow(Table, table=True):
    """A film of a nomination, in printed order."""

    __tablename__ = "nomination_films"

    nomination_id: int = Field(foreign_key="nominations.id", primary_key=True)
    film_id: int = Field(foreign_key="films.id", primary_key=True, index=True)
    position: int = 0


class NominationPersonRow(Table, table=True):
    """A person or company of a nomination, in printed order; one with two roles stands twice."""

    __tablename__ = "nomination_people"

    id: int = key_column()
    nomination_id: int = Field(foreign_key="nominations.id", index=True)
    person_id: int = Field(foreign_key="people.id", index=True)
    role: str | None = None
    position: int = 0


class NominationSourceRow(Table, table=True):
    """One printed statement: who said what, where and when; ``canonical`` is what its award or section means."""

    __tablename__ = "nomination_sources"
    __table_args__ = (UniqueConstraint("edition_id", "source", "source_key"),)

    id: int = key_column()
    edition_id: int = Field(foreign_key="editions.id")
    nomination_id: int = Field(foreign_key="nominations.id", index=True)
    source: str
    source_key: str
    url: str
    as_printed: str
    parser: str
    provenance: str
    section: str | None = None
    award: str | None = None
    category: str | None = None
    is_winner: bool = False
    notes: str | None = None
    people: list[dict[str, Any]] = json_column("people", list)
    canonical: str | None = None
    first_seen: datetime = at_column()
    last_seen: datetime = at_column()
    withdrawn_at: datetime | None = at_column(optional=True)
