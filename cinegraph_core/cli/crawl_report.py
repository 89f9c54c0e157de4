"""What a crawl found, as the database has it afterwards: for people a table, for programs one document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from cinegraph_core.cli.tables import print_table
from cinegraph_core.storage.editions import StoredEdition, edition_lines
from cinegraph_core.storage.metrics import summary

UNDECIDED = "pending"


@dataclass(frozen=True)
class CrawlReport:
    """One crawl; ``films`` are counted once each, by what is known of them now, whichever crawl decided it.

    ``calls`` counts logical calls and ``requests`` the HTTP requests that left for them, by service.
    """

    spider: str
    mode: str
    reason: str
    seconds: float
    editions: Sequence[Mapping[str, Any]]
    nominations: int
    films: int
    matched_by_level: Mapping[str, int]
    films_by_status: Mapping[str, int]
    pages: Mapping[str, int]
    calls: Mapping[str, int]
    requests: Mapping[str, int]


@dataclass(frozen=True)
class FilmCounts:
    """How many films there are, and how they fared."""

    statuses: Counter[str]
    levels: Counter[str]


def count_films(session: Session, editions: Sequence[StoredEdition]) -> FilmCounts:
    """Count the distinct films of editions by match status and, where matched, by level."""
    matches = {}
    for edition in editions:
        for line in edition_lines(session, edition.nomination_ids):
            for film in line["films"]:
                key = (film["imdb_id"], film["title"], film["year"], *film["directors"])
                matches[key] = film["match"] or {}
    statuses = Counter(str(match.get("status") or UNDECIDED) for match in matches.values())
    levels = Counter(_level(match) for match in matches.values() if match.get("status") == "matched")
    return FilmCounts(statuses, levels)


def count_calls(session: Session, since: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """Return the calls and the HTTP requests made since a time, by service."""
    rows = [row for row in summary(session, since) if row["calls"]]
    return {row["source"]: row["calls"] for row in rows}, {row["source"]: row["attempts"] for row in rows}


def as_document(report: CrawlReport) -> dict[str, Any]:
    """Return a report as JSON."""
    return asdict(report)


def print_report(report: CrawlReport, *, to_stderr: bool) -> None:
    """Print a report as a table of what was found."""
    title = f"{report.spider}: what was found" + (" · MOCK data" if report.mode == "mock" else "")
    print_table(title, ("what", "how many"), _rows(report), right=("how many",), to_stderr=to_stderr)


def _rows(report: CrawlReport) -> Iterator[tuple[str, object]]:
    for edition in report.editions:
        yield f"{edition['festival']} {edition['year']} ({edition['status']})", edition["nominations"]
    yield "nominations", report.nominations
    yield "films", report.films
    yield "  matched", report.films_by_status.get("matched", 0)
    for level, count in sorted(report.matched_by_level.items()):
        yield f"    level {level}", count
    for status in ("review", "not_found", "error", UNDECIDED):
        yield f"  {status.replace('_', ' ')}", report.films_by_status.get(status, 0)
    for outcome, count in sorted(report.pages.items()):
        yield f"pages {outcome.replace('_', ' ')}", count
    for service, count in sorted(report.calls.items()):
        yield f"calls to {service} (requests)", f"{count} ({report.requests[service]})"
    yield "seconds", f"{report.seconds:.1f}"
    yield "mode", report.mode


def _level(match: Mapping[str, Any]) -> str:
    return f"{match['level']} {match['strategy']}" if match.get("level") else "a person"
