"""Every table, as SQLModel classes.

Times are aware UTC. A film or person never carries an outside id in its own row: those live in ``external_ids``. What a
source printed stands in ``nomination_sources``; the rows of ``nominations`` are what the sources say together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, MetaData, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from cinegraph_core.storage.columns import Json, UtcDateTime

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def _key() -> Any:
    return Field(default=None, primary_key=True)


def json_column(name: str, default: Any) -> Any:
    """Return the field of a JSON column that is never null."""
    return Field(default_factory=default, sa_column=Column(name, Json, nullable=False))


def at_column(*, optional: bool = False) -> Any:
    """Return the field of a column that holds a time."""
    return Field(default=None, sa_type=UtcDateTime, nullable=True) if optional else Field(sa_type=UtcDateTime)


class Table(SQLModel):
    """The base of every table; one metadata, so that names of constraints agree on all databases."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)


class FestivalRow(Table, table=True):
    """A festival, by its key (``venice``)."""

    __tablename__ = "festivals"

    id: int = _key()
    key: str = Field(unique=True)


class EditionRow(Table, table=True):
    """One festival, one year; ``status`` is ``complete`` or ``partial``."""

    __tablename__ = "editions"
    __table_args__ = (UniqueConstraint("festival_id", "year", "instance"),)

    id: int = _key()
    festival_id: int = Field(foreign_key="festivals.id")
    year: int
    instance: int = 1
    number: int | None = None
    name: str | None = None
    status: str
    provenance: str
    stored_at: datetime = at_column()
    updated_at: datetime = at_column()


class SectionRow(Table, table=True):
    """A section of a festival, as printed."""

    __tablename__ = "sections"
    __table_args__ = (UniqueConstraint("festival_id", "name"),)

    id: int = _key()
    festival_id: int = Field(foreign_key="festivals.id")
    name: str


class AwardRow(Table, table=True):
    """An award of a festival, as printed."""

    __tablename__ = "awards"
    __table_args__ = (UniqueConstraint("festival_id", "name"),)

    id: int = _key()
    festival_id: int = Field(foreign_key="festivals.id")
    name: str


class CategoryRow(Table, table=True):
    """A category of an award; two awards may each have a category of one name. Without award: printed alone."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("festival_id", "award_id", "name"),)

    id: int = _key()
    festival_id: int = Field(foreign_key="festivals.id")
    award_id: int | None = Field(default=None, foreign_key="awards.id")
    name: str


class NominationRow(Table, table=True):
    """A nomination or selection, as its sources say together."""

    __tablename__ = "nominations"

    id: int = _key()
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

    id: int = _key()
    nomination_id: int = Field(foreign_key="nominations.id", index=True)
    person_id: int = Field(foreign_key="people.id", index=True)
    role: str | None = None
    position: int = 0


class NominationSourceRow(Table, table=True):
    """One printed statement: who said what, where and when; ``canonical`` is what its award or section means."""

    __tablename__ = "nomination_sources"
    __table_args__ = (UniqueConstraint("edition_id", "source", "source_key"),)

    id: int = _key()
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


class FilmRow(Table, table=True):
    """A film; ``facts`` holds what each source says of it, the other columns what they say together.

    ``merged_into`` names the older row this one proved to be; such a row has no links of its own any more.
    """

    __tablename__ = "films"

    id: int = _key()
    title: str
    original_title: str | None = None
    year: int | None = None
    runtime_minutes: int | None = None
    kind: str = "unknown"
    directors: list[str] = json_column("directors", list)
    countries: list[str] = json_column("countries", list)
    facts: dict[str, dict[str, Any]] = json_column("facts", dict)
    match_status: str | None = Field(default=None, index=True)
    merged_into: int | None = Field(default=None, foreign_key="films.id", index=True)
    created_at: datetime = at_column()


class FilmTitleRow(Table, table=True):
    """A printed form of a film's title, with who printed it."""

    __tablename__ = "film_titles"
    __table_args__ = (UniqueConstraint("film_id", "source", "title"),)

    id: int = _key()
    film_id: int = Field(foreign_key="films.id")
    source: str
    title: str
    normalised: str = Field(index=True)


class PersonRow(Table, table=True):
    """A person or company (``kind``); one without an outside id belongs to a single nomination."""

    __tablename__ = "people"

    id: int = _key()
    name: str
    normalised: str = Field(index=True)
    kind: str = "person"


class ExternalIdRow(Table, table=True):
    """What an outside catalogue calls a film or a person; ``given_by`` is who told us (a source, or ``match``)."""

    __tablename__ = "external_ids"
    __table_args__ = (
        UniqueConstraint("source", "value"),
        CheckConstraint("(film_id IS NULL) <> (person_id IS NULL)", name="one_owner"),
    )

    id: int = _key()
    film_id: int | None = Field(default=None, foreign_key="films.id", index=True)
    person_id: int | None = Field(default=None, foreign_key="people.id", index=True)
    source: str
    value: str
    given_by: str


class MatchDecisionRow(Table, table=True):
    """The current answer for a film; ``decided_by`` is ``auto`` or the person who decided.

    ``query_key`` names the query that was answered, ``source_changed`` tells that the sources now say something else.
    """

    __tablename__ = "match_decisions"

    id: int = _key()
    film_id: int = Field(foreign_key="films.id", unique=True)
    status: str = Field(index=True)
    tmdb_id: int | None = None
    imdb_id: str | None = None
    level: int | None = None
    strategy: str | None = None
    confidence: float | None = None
    score: float | None = None
    reason: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    api_calls: int = 0
    provenance: str
    decided_by: str = "auto"
    query_key: str | None = None
    source_changed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    decided_at: datetime = at_column()
    retry_at: datetime | None = at_column(optional=True)


class MatchCandidateRow(Table, table=True):
    """A candidate of a decision, best first."""

    __tablename__ = "match_candidates"
    __table_args__ = (UniqueConstraint("decision_id", "rank"),)

    id: int = _key()
    decision_id: int = Field(foreign_key="match_decisions.id")
    rank: int
    tmdb_id: int
    title: str
    original_title: str | None = None
    year: int | None = None
    imdb_id: str | None = None
    score: float
    why: list[str] = json_column("why", list)


class MetricRow(Table, table=True):
    """A call, a level tried or a lookup; ``inserted_at`` is when it ended."""

    __tablename__ = "api_lookup_metrics"
    __table_args__ = (
        CheckConstraint("target_identifier <> ''", name="target_not_empty"),
        Index(None, "source", "operation"),
    )

    id: int = _key()
    source: str
    operation: str
    target_identifier: str
    success: bool = Field(index=True)
    confidence_score: float | None = None
    fallback_level: int | None = None
    response_time_ms: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    details: dict[str, Any] = json_column("metadata", dict)
    kind: str
    attempts: int = 0
    provenance: str
    inserted_at: datetime = Field(sa_type=UtcDateTime, index=True)
    updated_at: datetime = at_column()


class EditionPageRow(Table, table=True):
    """What became of a page of an edition the last time it was fetched."""

    __tablename__ = "edition_pages"
    __table_args__ = (UniqueConstraint("edition_id", "source", "url"),)

    id: int = _key()
    edition_id: int = Field(foreign_key="editions.id")
    source: str
    url: str
    outcome: str
    detail: str = ""
    nominations: int = 0
    fetched_at: datetime = at_column()


class ServiceStateRow(Table, table=True):
    """The breaker of a service as the processes on this database see it."""

    __tablename__ = "service_state"

    service: str = Field(primary_key=True)
    breaker_state: str
    changed_at: datetime = at_column()
    retry_at: datetime | None = at_column(optional=True)


class AuditRow(Table, table=True):
    """Who changed what, before and after."""

    __tablename__ = "audit_log"

    id: int = _key()
    who: str
    what: str
    subject: str
    before: dict[str, Any] = json_column("before", dict)
    after: dict[str, Any] = json_column("after", dict)
    at: datetime = Field(sa_type=UtcDateTime, index=True)


class DatabaseStampRow(Table, table=True):
    """The one row that says whether this database holds ``mock`` or ``live`` data."""

    __tablename__ = "database_stamp"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(default=1, primary_key=True)
    mode: str
    stamped_at: datetime = at_column()
