"""Films and people, what outside catalogues call them, and what was decided about each film."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint, false
from sqlmodel import Field

from cinegraph_core.storage.tables.base import Table, at_column, json_column, key_column

PARKED = "parked"
"""Status of a film whose question is parked because a quota or a budget is used up; ``retry_at`` says until when."""


class FilmRow(Table, table=True):
    """A film; ``facts`` holds what each source says of it, the other columns what they say together.

    ``merged_into`` names the older row this one proved to be; such a row has no links of its own any more.
    """

    __tablename__ = "films"

    id: int = key_column()
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

    id: int = key_column()
    film_id: int = Field(foreign_key="films.id")
    source: str
    title: str
    normalised: str = Field(index=True)


class PersonRow(Table, table=True):
    """A person or company (``kind``); one without an outside id belongs to a single nomination."""

    __tablename__ = "people"

    id: int = key_column()
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

    id: int = key_column()
    film_id: int | None = Field(default=None, foreign_key="films.id", index=True)
    person_id: int | None = Field(default=None, foreign_key="people.id", index=True)
    source: str
    value: str
    given_by: str


class MatchDecisionRow(Table, table=True):
    """The current answer for a film; ``decided_by`` is ``auto`` or the person who decided.

    ``status`` is a match's, or :data:`PARKED`; ``retry_at`` is when a parked film may be asked for again; beside an error it is
    only a hint. ``query_key`` names the query that was answered, ``source_changed`` tells that the sources now say something
    else.
    """

    __tablename__ = "match_decisions"

    id: int = key_column()
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

    id: int = key_column()
    decision_id: int = Field(foreign_key="match_decisions.id")
    rank: int
    tmdb_id: int
    title: str
    original_title: str | None = None
    year: int | None = None
    imdb_id: str | None = None
    score: float
    why: list[str] = json_column("why", list)
