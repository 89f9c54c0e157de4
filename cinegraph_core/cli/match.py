"""``cinegraph match``: one film, a stream of them, or all stored films that wait."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from cinegraph_core.application import Application
from cinegraph_core.cli.lines import count_lines
from cinegraph_core.cli.match_lines import LineMatcher
from cinegraph_core.cli.match_pending import Backlog
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.output import DONE, FAILED, NOTHING_TO_DO, print_json, say
from cinegraph_core.cli.progress import progress
from cinegraph_core.cli.results import Results
from cinegraph_core.cli.tables import print_table
from cinegraph_core.errors import UsageError
from cinegraph_core.matching.wire import match_to_json
from cinegraph_core.records import FilmQuery, Match
from cinegraph_core.settings import Settings
from cinegraph_core.storage.films import count_films, pending_films

_STATUSES = ("matched", "review", "not_found", "error")


@click.command()
@click.option("--title", help="The film's title, in any language.")
@click.option("--original-title", help="Its title in its own language.")
@click.option("--year", type=int, help="The film's year; with --festival and without --edition, the edition's.")
@click.option("--director", "directors", multiple=True, help="A director; may be given several times.")
@click.option("--imdb-id", help="Its IMDb id, such as tt14230458.")
@click.option("--runtime", type=int, help="Its length in minutes.")
@click.option("--festival", help="The festival it was shown at.")
@click.option("--edition", type=int, help="The year of that festival's edition.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; without --title and --pending: JSON lines in and out.")
@click.option("--resume", type=click.Path(dir_okay=False, path_type=Path), help="Go on with this file of results (JSON lines).")
@click.option("--pending", is_flag=True, help="Decide about every stored film that is still unresolved.")
@click.option("--limit", type=click.IntRange(min=1), help="With --pending: at most so many films.")
def match(
    *,
    title: str | None,
    original_title: str | None,
    year: int | None,
    directors: tuple[str, ...],
    imdb_id: str | None,
    runtime: int | None,
    festival: str | None,
    edition: int | None,
    as_json: bool,
    resume: Path | None,
    pending: bool,
    limit: int | None,
) -> int:
    """Find films on TMDb.

    \b
    Examples:
      cinegraph match --title "Poor Things" --year 2023 --director "Yorgos Lanthimos"
      cinegraph match --json < queries.jsonl > results.jsonl
      cinegraph match --resume results.jsonl < queries.jsonl
      cinegraph match --pending
    """  # noqa: D301 - click reads the backspace
    settings = begin()
    if pending:
        _refuse("--pending", title=title, resume=resume)
        return asyncio.run(_pending(settings, limit, as_json=as_json))
    _refuse("a match without --pending", limit=limit)
    if title is None:
        details = {"original-title": original_title, "year": year, "director": directors, "imdb-id": imdb_id}
        details |= {"runtime": runtime, "festival": festival, "edition": edition}
        _refuse("a match without --title", **details)
        return asyncio.run(_lines(settings, _input(as_json=as_json, resume=resume), resume))
    _refuse("--title", resume=resume)
    query = FilmQuery(
        id="1",
        title=title,
        original_title=original_title,
        year=year,
        directors=directors,
        imdb_id=imdb_id,
        runtime_minutes=runtime,
        festival=festival,
        edition=edition,
    )
    return asyncio.run(_single(settings, query, as_json=as_json))


def _refuse(what: str, **options: object) -> None:
    for name, value in options.items():
        if value:
            raise UsageError(f"{what} does not go together with --{name}; see `cinegraph match --help`")


def _input(*, as_json: bool, resume: Path | None) -> int:
    if not as_json and resume is None:
        raise UsageError("what shall be matched? Give --title, or --json with queries on standard input, or --pending")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "--json reads queries from standard input, one JSON object a line: cinegraph match --json < queries.jsonl"
        )
    return sys.stdin.fileno()


async def _single(settings: Settings, query: FilmQuery, *, as_json: bool) -> int:
    async with Application.open(settings) as application:
        found = await application.cascade.match(query)
    if as_json:
        print_json(match_to_json(found))
    else:
        _show(found, settings)
    if found.status == "error":
        say(f"Error: {found.error_message or found.error_type}; nothing is known about this film until it is tried again")
        return FAILED
    return DONE


async def _lines(settings: Settings, descriptor: int, resume: Path | None) -> int:
    results = Results(resume)
    try:
        async with Application.open(settings) as application:
            with progress("matching", count_lines(descriptor)) as advance:
                matcher = LineMatcher(application.cascade, results, advance)
                await matcher.run(descriptor)
    finally:
        results.close()
    if matcher.failed:
        say(f"{matcher.failed} of the results have the status error")
    return FAILED if matcher.failed else DONE


async def _pending(settings: Settings, limit: int | None, *, as_json: bool) -> int:
    async with Application.open(settings) as application:
        waiting = await application.database.run(pending_films, now=application.clock.now())
        if not waiting:
            return await _nothing_pending(application, as_json=as_json)
        chosen = waiting[:limit]
        with progress("matching", len(chosen)) as advance:
            backlog = Backlog(application, list(chosen), say, advance)
            reached_end = await backlog.run()
        left = len(await application.database.run(pending_films, now=application.clock.now()))
    decided = {status: backlog.decided[status] for status in _STATUSES}
    if as_json:
        print_json({"decided": decided, "left": left})
    else:
        print_table(titled("Decided", settings), _STATUSES, [list(decided.values())], right=_STATUSES)
    if not reached_end or decided["error"]:
        say(f"{left} films are left; run `cinegraph match --pending` again when the service is back")
        return FAILED
    return DONE


async def _nothing_pending(application: Application, *, as_json: bool) -> int:
    """Say so; that is well where every film is decided, and an empty hand where none is stored."""
    stored = await application.database.run(count_films)
    if as_json:
        print_json({"decided": dict.fromkeys(_STATUSES, 0), "left": 0})
    if stored:
        say(f"nothing is pending: all {stored} stored films are decided or in review")
        return DONE
    say("no film is stored yet; crawl a festival first, e.g. cinegraph crawl venice -a year=2024")
    return NOTHING_TO_DO


def _show(found: Match, settings: Settings) -> None:
    level = f"level {found.level}, {found.strategy}" if found.level else found.reason or ""
    summary = f"{found.status.replace('_', ' ')}" + (f" ({level})" if level else "")
    print_table(
        titled(f"{summary} · requests: {found.api_calls}", settings),
        ("", "TMDb", "title", "year", "directors", "score", "why"),
        (
            (
                "✓" if one.candidate.tmdb_id == found.tmdb_id else "",
                one.candidate.tmdb_id,
                one.candidate.title,
                one.candidate.year,
                ", ".join(one.candidate.directors),
                f"{one.score:.2f}",
                "; ".join(one.why),
            )
            for one in found.candidates
        ),
        right=("TMDb", "score"),
    )
