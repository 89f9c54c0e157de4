"""What a crawl found, as the database has it afterwards: for people a table, for programs one document."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from cinegraph_core.cli.mode import titled
from cinegraph_core.cli.output import say
from cinegraph_core.cli.tables import print_table
from cinegraph_core.crawling.ledger import Entry
from cinegraph_core.crawling.tally import spans
from cinegraph_core.settings import Settings
from cinegraph_core.storage.editions import StoredEdition
from cinegraph_core.storage.film_matches import film_matches
from cinegraph_core.storage.films import UNDECIDED
from cinegraph_core.storage.tables import PARKED, MatchDecisionRow

_PROBLEMS = ("error", "parked", "blocked", "layout_changed")
FEED = "feed"
"""The outcome of a feed that is not whole; the others are outcomes of pages."""
_MOST_LINES = 5
_BY_HAND = "a person"


@dataclass(frozen=True)
class CrawlReport:
    """One crawl; ``films`` are counted once each, by what is known of them now, whichever crawl decided it.

    ``film_errors`` counts by error type the films that could not be asked for, ``films_waiting`` all films of the database that
    wait for an answer, whatever edition they are of.
    ``calls`` counts this crawl's logical calls and ``requests`` the HTTP requests that left for them, by service. ``problems``
    are the pages that could not be read whole, each with festival, year, url, outcome and detail, and the feeds that could not
    be written whole: outcome ``feed``, their file as url, and no festival or year.
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
    film_errors: Mapping[str, int]
    films_waiting: int
    pages: Mapping[str, int]
    calls: Mapping[str, int]
    requests: Mapping[str, int]
    problems: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class FilmCounts:
    """How many films there are, and how they fared."""

    statuses: Counter[str]
    levels: Counter[str]
    errors: Counter[str]


def count_films(session: Session, editions: Sequence[StoredEdition]) -> FilmCounts:
    """Count the distinct films of editions by match status and, where matched, by level, where in error, by its type."""
    decisions = film_matches(session, [one for edition in editions for one in edition.nomination_ids]).values()
    statuses = Counter(decision.status if decision else UNDECIDED for decision in decisions)
    levels = Counter(_level(decision) for decision in decisions if decision and decision.status == "matched")
    errors = Counter(decision.error_type for decision in decisions if decision and decision.error_type)
    return FilmCounts(statuses, levels, errors)


def print_report(report: CrawlReport, settings: Settings, *, to_stderr: bool) -> None:
    """Print a report as a table of what was found, and on standard error which pages could not be read and why."""
    title = titled(f"{report.spider}: what was found", settings)
    print_table(title, ("what", "how many"), _rows(report), right=("how many",), to_stderr=to_stderr)
    lines = [f"{one['festival']} {one['year']}: {remark}" for one in report.editions for remark in one["suspicious"]]
    # What became of the feeds was said when the crawl ended.
    lines += problem_lines([problem for problem in report.problems if problem["outcome"] != FEED])
    for line in lines[:_MOST_LINES]:
        say(line)
    if len(lines) > _MOST_LINES:
        say(f"… and {len(lines) - _MOST_LINES} more of the kind; --json names every page")


def _rows(report: CrawlReport) -> Iterator[tuple[str, object]]:
    bare: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for edition in report.editions:
        if not edition["nominations"] and not edition["withdrawn"]:
            bare[edition["festival"], edition["status"]].append(edition["year"])
            continue
        yield f"{edition['festival']} {edition['year']} ({edition['status']})", edition["nominations"]
        if edition["withdrawn"]:
            yield "  statements withdrawn", edition["withdrawn"]
    for (festival, status), years in bare.items():
        yield f"{festival} {spans(years)} ({status.replace('_', ' ')})", 0
    yield "nominations", report.nominations
    yield "films", report.films
    yield "  matched", report.films_by_status.get("matched", 0)
    for level, count in sorted(report.matched_by_level.items()):
        yield f"    {level}" if level == _BY_HAND else f"    level {level}", count
    parked = (PARKED,) if report.films_by_status.get(PARKED) else ()
    for status in ("review", "not_found", "error", *parked, UNDECIDED):
        yield f"  {status.replace('_', ' ')}", report.films_by_status.get(status, 0)
    for outcome, count in sorted(report.pages.items()):
        yield f"pages {outcome.replace('_', ' ')}", count
    for service, count in sorted(report.calls.items()):
        yield f"calls to {service} (requests)", f"{count} ({report.requests[service]})"
    yield "seconds", f"{report.seconds:.1f}"
    yield "mode", report.mode


def problems_of(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return every page that could not be read whole, in the order in which they were asked for."""
    return [
        {"festival": entry.festival, "year": entry.year, "url": page.url, "outcome": page.outcome, "detail": page.detail}
        for entry in entries
        for page in entry.pages
        if page.outcome in _PROBLEMS
    ]


def feed_problems(broken: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return every feed that could not be written whole, by file and reason, as problems of the crawl."""
    return [{"festival": None, "year": None, "url": feed, "outcome": FEED, "detail": reason} for feed, reason in broken.items()]


def problem_lines(problems: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield one line for each edition and kind of problem, with one of the addresses."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for problem in problems:
        kind = problem["outcome"].replace("_", " ")
        alike.setdefault((f"{problem['festival']} {problem['year']}", kind, problem["detail"]), []).append(problem["url"])
    for (edition, kind, detail), urls in alike.items():
        if len(urls) == 1:
            yield f"{edition}: page {kind}: {detail} ({urls[0]})"
        else:
            yield f"{edition}: {len(urls)} pages {kind}: {detail} (the first: {urls[0]})"


def _level(decision: MatchDecisionRow) -> str:
    return f"{decision.level} {decision.strategy}" if decision.level else _BY_HAND
