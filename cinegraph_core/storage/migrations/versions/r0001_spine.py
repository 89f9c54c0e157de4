"""The first schema: festivals to candidates, who said what, and the record of every call."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INT, TEXT, FLAG, NUMBER, TIME = sa.Integer(), sa.String(), sa.Boolean(), sa.Float(), sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
TABLES = (
    "api_lookup_metrics",
    "audit_log",
    "database_stamp",
    "service_state",
    "festivals",
    "awards",
    "editions",
    "sections",
    "categories",
    "edition_pages",
    "films",
    "people",
    "external_ids",
    "film_titles",
    "match_decisions",
    "match_candidates",
    "nominations",
    "nomination_films",
    "nomination_people",
    "nomination_sources",
)
"""In the order in which they are created; dropped the other way round."""


def _must(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    _create_records()
    _create_festivals()
    _create_films()
    _create_nominations()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_records() -> None:
    op.create_table(
        "api_lookup_metrics",
        _must("id", INT),
        _must("source", TEXT),
        _must("operation", TEXT),
        _must("target_identifier", TEXT),
        _must("success", FLAG),
        sa.Column("confidence_score", NUMBER),
        sa.Column("fallback_level", INT),
        sa.Column("response_time_ms", NUMBER),
        sa.Column("error_type", TEXT),
        sa.Column("error_message", TEXT),
        _must("metadata", JSON),
        _must("kind", TEXT),
        _must("attempts", INT),
        _must("provenance", TEXT),
        _must("inserted_at", TIME),
        _must("updated_at", TIME),
        sa.CheckConstraint("target_identifier <> ''", name="ck_api_lookup_metrics_target_not_empty"),
        sa.PrimaryKeyConstraint("id", name="pk_api_lookup_metrics"),
    )
    op.create_index("ix_api_lookup_metrics_inserted_at", "api_lookup_metrics", ["inserted_at"])
    op.create_index("ix_api_lookup_metrics_source_operation", "api_lookup_metrics", ["source", "operation"])
    op.create_index("ix_api_lookup_metrics_success", "api_lookup_metrics", ["success"])
    op.create_table(
        "audit_log",
        _must("id", INT),
        _must("who", TEXT),
        _must("what", TEXT),
        _must("subject", TEXT),
        _must("before", JSON),
        _must("after", JSON),
        _must("at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.create_table(
        "database_stamp",
        _must("id", INT),
        _must("mode", TEXT),
        _must("stamped_at", TIME),
        sa.CheckConstraint("id = 1", name="ck_database_stamp_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_database_stamp"),
    )
    op.create_table(
        "service_state",
        _must("service", TEXT),
        _must("breaker_state", TEXT),
        _must("changed_at", TIME),
        sa.Column("retry_at", TIME),
        sa.PrimaryKeyConstraint("service", name="pk_service_state"),
    )


def _create_festivals() -> None:
    op.create_table(
        "festivals",
        _must("id", INT),
        _must("key", TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_festivals"),
        sa.UniqueConstraint("key", name="uq_festivals_key"),
    )
    op.create_table(
        "awards",
        _must("id", INT),
        _must("festival_id", INT),
        _must("name", TEXT),
        sa.ForeignKeyConstraint(["festival_id"], ["festivals.id"], name="fk_awards_festival_id"),
        sa.PrimaryKeyConstraint("id", name="pk_awards"),
        sa.UniqueConstraint("festival_id", "name", name="uq_awards_festival_id_name"),
    )
    op.create_table(
        "editions",
        _must("id", INT),
        _must("festival_id", INT),
        _must("year", INT),
        _must("instance", INT),
        sa.Column("number", INT),
        sa.Column("name", TEXT),
        _must("status", TEXT),
        _must("provenance", TEXT),
        _must("stored_at", TIME),
        _must("updated_at", TIME),
        sa.ForeignKeyConstraint(["festival_id"], ["festivals.id"], name="fk_editions_festival_id"),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("festival_id", "year", "instance", name="uq_editions_festival_id_year_instance"),
    )
    op.create_table(
        "sections",
        _must("id", INT),
        _must("festival_id", INT),
        _must("name", TEXT),
        sa.ForeignKeyConstraint(["festival_id"], ["festivals.id"], name="fk_sections_festival_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sections"),
        sa.UniqueConstraint("festival_id", "name", name="uq_sections_festival_id_name"),
    )
    op.create_table(
        "categories",
        _must("id", INT),
        _must("festival_id", INT),
        sa.Column("award_id", INT),
        _must("name", TEXT),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name="fk_categories_award_id"),
        sa.ForeignKeyConstraint(["festival_id"], ["festivals.id"], name="fk_categories_festival_id"),
        sa.PrimaryKeyConstraint("id", name="pk_categories"),
        sa.UniqueConstraint("festival_id", "award_id", "name", name="uq_categories_festival_id_award_id_name"),
    )
    op.create_table(
        "edition_pages",
        _must("id", INT),
        _must("edition_id", INT),
        _must("source", TEXT),
        _must("url", TEXT),
        _must("outcome", TEXT),
        _must("detail", TEXT),
        _must("nominations", INT),
        _must("fetched_at", TIME),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_pages_edition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_edition_pages"),
        sa.UniqueConstraint("edition_id", "source", "url", name="uq_edition_pages_edition_id_source_url"),
    )


def _create_films() -> None:
    op.create_table(
        "films",
        _must("id", INT),
        _must("title", TEXT),
        sa.Column("original_title", TEXT),
        sa.Column("year", INT),
        sa.Column("runtime_minutes", INT),
        _must("kind", TEXT),
        _must("directors", JSON),
        _must("countries", JSON),
        _must("facts", JSON),
        sa.Column("match_status", TEXT),
        sa.Column("merged_into", INT),
        _must("created_at", TIME),
        sa.ForeignKeyConstraint(["merged_into"], ["films.id"], name="fk_films_merged_into"),
        sa.PrimaryKeyConstraint("id", name="pk_films"),
    )
    op.create_index("ix_films_match_status", "films", ["match_status"])
    op.create_index("ix_films_merged_into", "films", ["merged_into"])
    op.create_table(
        "people",
        _must("id", INT),
        _must("name", TEXT),
        _must("normalised", TEXT),
        _must("kind", TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_index("ix_people_normalised", "people", ["normalised"])
    op.create_table(
        "external_ids",
        _must("id", INT),
        sa.Column("film_id", INT),
        sa.Column("person_id", INT),
        _must("source", TEXT),
        _must("value", TEXT),
        _must("given_by", TEXT),
        sa.CheckConstraint("(film_id IS NULL) <> (person_id IS NULL)", name="ck_external_ids_one_owner"),
        sa.ForeignKeyConstraint(["film_id"], ["films.id"], name="fk_external_ids_film_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_external_ids_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_external_ids"),
        sa.UniqueConstraint("source", "value", name="uq_external_ids_source_value"),
    )
    op.create_index("ix_external_ids_film_id", "external_ids", ["film_id"])
    op.create_index("ix_external_ids_person_id", "external_ids", ["person_id"])
    op.create_table(
        "film_titles",
        _must("id", INT),
        _must("film_id", INT),
        _must("source", TEXT),
        _must("title", TEXT),
        _must("normalised", TEXT),
        sa.ForeignKeyConstraint(["film_id"], ["films.id"], name="fk_film_titles_film_id"),
        sa.PrimaryKeyConstraint("id", name="pk_film_titles"),
        sa.UniqueConstraint("film_id", "source", "title", name="uq_film_titles_film_id_source_title"),
    )
    op.create_index("ix_film_titles_normalised", "film_titles", ["normalised"])
    op.create_table(
        "match_decisions",
        _must("id", INT),
        _must("film_id", INT),
        _must("status", TEXT),
        sa.Column("tmdb_id", INT),
        sa.Column("imdb_id", TEXT),
        sa.Column("level", INT),
        sa.Column("strategy", TEXT),
        sa.Column("confidence", NUMBER),
        sa.Column("score", NUMBER),
        sa.Column("reason", TEXT),
        sa.Column("error_type", TEXT),
        sa.Column("error_message", TEXT),
        _must("api_calls", INT),
        _must("provenance", TEXT),
        _must("decided_by", TEXT),
        _must("decided_at", TIME),
        sa.Column("retry_at", TIME),
        sa.ForeignKeyConstraint(["film_id"], ["films.id"], name="fk_match_decisions_film_id"),
        sa.PrimaryKeyConstraint("id", name="pk_match_decisions"),
        sa.UniqueConstraint("film_id", name="uq_match_decisions_film_id"),
    )
    op.create_index("ix_match_decisions_status", "match_decisions", ["status"])
    op.create_table(
        "match_candidates",
        _must("id", INT),
        _must("decision_id", INT),
        _must("rank", INT),
        _must("tmdb_id", INT),
        _must("title", TEXT),
        sa.Column("original_title", TEXT),
        sa.Column("year", INT),
        sa.Column("imdb_id", TEXT),
        _must("score", NUMBER),
        _must("why", JSON),
        sa.ForeignKeyConstraint(["decision_id"], ["match_decisions.id"], name="fk_match_candidates_decision_id"),
        sa.PrimaryKeyConstraint("id", name="pk_match_candidates"),
        sa.UniqueConstraint("decision_id", "rank", name="uq_match_candidates_decision_id_rank"),
    )


def _create_nominations() -> None:
    op.create_table(
        "nominations",
        _must("id", INT),
        _must("edition_id", INT),
        sa.Column("section_id", INT),
        sa.Column("award_id", INT),
        sa.Column("category_id", INT),
        _must("is_winner", FLAG),
        sa.Column("notes", TEXT),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name="fk_nominations_award_id"),
        sa.ForeignKeyConstraint(["category_id"], ["categories.id"], name="fk_nominations_category_id"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_nominations_edition_id"),
        sa.ForeignKeyConstraint(["section_id"], ["sections.id"], name="fk_nominations_section_id"),
        sa.PrimaryKeyConstraint("id", name="pk_nominations"),
    )
    op.create_index("ix_nominations_edition_id", "nominations", ["edition_id"])
    op.create_table(
        "nomination_films",
        _must("nomination_id", INT),
        _must("film_id", INT),
        _must("position", INT),
        sa.ForeignKeyConstraint(["film_id"], ["films.id"], name="fk_nomination_films_film_id"),
        sa.ForeignKeyConstraint(["nomination_id"], ["nominations.id"], name="fk_nomination_films_nomination_id"),
        sa.PrimaryKeyConstraint("nomination_id", "film_id", name="pk_nomination_films"),
    )
    op.create_index("ix_nomination_films_film_id", "nomination_films", ["film_id"])
    op.create_table(
        "nomination_people",
        _must("id", INT),
        _must("nomination_id", INT),
        _must("person_id", INT),
        sa.Column("role", TEXT),
        _must("position", INT),
        sa.ForeignKeyConstraint(["nomination_id"], ["nominations.id"], name="fk_nomination_people_nomination_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_nomination_people_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_nomination_people"),
    )
    op.create_index("ix_nomination_people_nomination_id", "nomination_people", ["nomination_id"])
    op.create_index("ix_nomination_people_person_id", "nomination_people", ["person_id"])
    op.create_table(
        "nomination_sources",
        _must("id", INT),
        _must("edition_id", INT),
        _must("nomination_id", INT),
        _must("source", TEXT),
        _must("source_key", TEXT),
        _must("url", TEXT),
        _must("as_printed", TEXT),
        _must("parser", TEXT),
        _must("provenance", TEXT),
        sa.Column("section", TEXT),
        sa.Column("award", TEXT),
        sa.Column("category", TEXT),
        _must("is_winner", FLAG),
        sa.Column("notes", TEXT),
        _must("people", JSON),
        sa.Column("canonical", TEXT),
        _must("first_seen", TIME),
        _must("last_seen", TIME),
        sa.Column("withdrawn_at", TIME),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_nomination_sources_edition_id"),
        sa.ForeignKeyConstraint(["nomination_id"], ["nominations.id"], name="fk_nomination_sources_nomination_id"),
        sa.PrimaryKeyConstraint("id", name="pk_nomination_sources"),
        sa.UniqueConstraint("edition_id", "source", "source_key", name="uq_nomination_sources_edition_id_source_source_key"),
    )
    op.create_index("ix_nomination_sources_nomination_id", "nomination_sources", ["nomination_id"])
