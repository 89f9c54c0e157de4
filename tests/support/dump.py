"""A database as sorted lines by natural keys: two databases that say the same have the same dump."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, create_engine, text

_EDITION = "f.key || ' ' || e.year || '/' || e.instance"
_IN_EDITION = "JOIN editions e ON e.id = x.edition_id JOIN festivals f ON f.id = e.festival_id"
_OF_FESTIVAL = "JOIN festivals f ON f.id = x.festival_id"
_QUERIES = {
    "festival": "SELECT key FROM festivals",
    "edition": f"SELECT f.key, x.year, x.instance, x.number, x.name, x.status, x.provenance FROM editions x {_OF_FESTIVAL}",
    "section": f"SELECT f.key, x.name FROM sections x {_OF_FESTIVAL}",
    "award": f"SELECT f.key, x.name FROM awards x {_OF_FESTIVAL}",
    "category": f"SELECT f.key, a.name, x.name FROM categories x {_OF_FESTIVAL} LEFT JOIN awards a ON a.id = x.award_id",
    "page": f"SELECT {_EDITION}, x.source, x.url, x.outcome, x.detail, x.nominations FROM edition_pages x {_IN_EDITION}",
    "statement": (
        f"SELECT {_EDITION}, x.nomination_id, x.source, x.source_key, x.url, x.as_printed, x.parser, x.provenance, x.section, "
        "x.award, x.category, x.is_winner, x.notes, x.people, x.canonical, x.withdrawn_at IS NOT NULL AS is_withdrawn "
        f"FROM nomination_sources x {_IN_EDITION}"
    ),
    "nomination": (
        f"SELECT {_EDITION}, x.id AS nomination_id, s.name, a.name, c.name, x.is_winner, x.notes "
        f"FROM nominations x {_IN_EDITION} LEFT JOIN sections s ON s.id = x.section_id "
        "LEFT JOIN awards a ON a.id = x.award_id LEFT JOIN categories c ON c.id = x.category_id"
    ),
    "nomination film": "SELECT nomination_id, film_id, position FROM nomination_films",
    "nomination person": (
        "SELECT x.nomination_id, p.name, p.kind, i.value, x.role, x.position FROM nomination_people x "
        "JOIN people p ON p.id = x.person_id LEFT JOIN external_ids i ON i.person_id = p.id"
    ),
    "film": (
        "SELECT id AS film_id, original_title, runtime_minutes, kind, directors, countries, facts, match_status, merged_into "
        "FROM films"
    ),
    "film title": "SELECT film_id, source, title, normalised FROM film_titles",
    "film id": "SELECT film_id, source, value, given_by FROM external_ids WHERE film_id IS NOT NULL",
    "person": "SELECT x.name, x.normalised, x.kind, i.value FROM people x LEFT JOIN external_ids i ON i.person_id = x.id",
    "decision": (
        "SELECT film_id, status, tmdb_id, imdb_id, level, strategy, confidence, score, reason, error_type, provenance, "
        "decided_by FROM match_decisions"
    ),
    "candidate": (
        "SELECT d.film_id, x.rank, x.tmdb_id, x.title, x.original_title, x.year, x.imdb_id, x.score, x.why "
        "FROM match_candidates x JOIN match_decisions d ON d.id = x.decision_id"
    ),
}
_JSON = {"people", "directors", "countries", "facts", "why"}


def natural_dump(url: str) -> list[str]:
    """Return every row of festivals … candidates as a line, sorted; without surrogate ids, times, metrics and audit."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            films, nominations = _films(connection), _nominations(connection)
            lines: list[str] = []
            for kind, query in _QUERIES.items():
                for row in connection.execute(text(query)).mappings():
                    values = [_value(column, value, films, nominations) for column, value in row.items()]
                    lines.append(f"{kind}: {json.dumps(values, ensure_ascii=False)}")
            return sorted(lines)
    finally:
        engine.dispose()


def _films(connection: Connection) -> dict[int, str]:
    films = {row.id: f"{row.title} ({row.year})" for row in connection.execute(text("SELECT id, title, year FROM films"))}
    given = "SELECT film_id, source, value FROM external_ids WHERE film_id IS NOT NULL ORDER BY source, value"
    for film_id, source, value in connection.execute(text(given)):
        films[film_id] += f" [{source}:{value}]"
    return films


def _nominations(connection: Connection) -> dict[int, str]:
    nominations: dict[int, str] = {}
    said = "SELECT nomination_id, source, source_key FROM nomination_sources ORDER BY source, source_key"
    for nomination_id, source, key in connection.execute(text(said)):
        nominations[nomination_id] = f"{nominations.get(nomination_id, '')}<{source}:{key}>"
    return nominations


def _value(column: str, value: Any, films: dict[int, str], nominations: dict[int, str]) -> Any:
    if column in ("film_id", "merged_into"):
        return films.get(value)
    if column == "nomination_id":
        return nominations[value]
    if column in _JSON:
        return json.dumps(json.loads(value) if isinstance(value, str) else value, sort_keys=True, ensure_ascii=False)
    return bool(value) if column.startswith("is_") else value
