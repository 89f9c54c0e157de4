"""``cinegraph match``: one film, a stream of them, or all stored films that wait."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from cinegraph_core.application import Application
from cinegraph_core.backlog import Backlog
from cinegraph_core.cli.lines import count_lines
from cinegraph_core.cli.match_lines import LineMatcher
from cinegraph_core.cli.match_question import names_film, query_of, refuse
from cinegraph_core.cli.match_shown import show_match
from cinegraph_core.cli.match_waiting import list_waiting
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.output import print_json, say
from cinegraph_core.cli.progress import progress
from cinegraph_core.cli.remedies import remedy, tell_remedies
from cinegraph_core.cli.results import Results
from cinegraph_core.cli.running import run
from cinegraph_core.cli.tables import print_table
from cinegraph_core.endings import DONE, FAILED, NOTHING_TO_DO
from cinegraph_core.errors import UsageError
from cinegraph_core.matching.remembered import Remembering
from cinegraph_core.matching.wire import match_to_json
from cinegraph_core.records import FilmQuery
from cinegraph_core.services.rules import moment
from cinegraph_core.settings import Settings
from cinegraph_core.storage.films import count_films, parked_films, pending_films
from cinegraph_core.storage.remembering import decided_by_people

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
@click.option("--json", "as_json", is_flag=True, help="Print JSON; without a film and --pending: JSON lines in and out.")
@click.option("--explain", is_flag=True, help="Say how each answer came about: levels, candidates, parts of the score.")
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Go on with this file of results (JSON lines); ids in it are skipped, those with the status error too: "
    "take their lines out to ask again.",
)
@click.option("--pending", is_flag=True, help="Decide about every stored film that is still unresolved.")
@click.option("--list", "lists", is_flag=True, help="With --pending: say which films wait and why, and ask nobody.")
@click.option("--limit", type=click.IntRange(min=1), help="With --pending: at most so many films.")
@click.option(
    "--parked",
    type=click.Choice(["skip", "wait", "ask"]),
    help="With --pending: films that are parked until a quota or budget begins anew are skipped (default), waited for, or asked "
    "for at once.",
)
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
    explain: bool,
    resume: Path | None,
    pending: bool,
    lists: bool,
    limit: int | None,
    parked: str | None,
) -> int:
    """Find films on TMDb.

    \b
    Examples:
      cinegraph match --title "Poor Things" --year 2023 --director "Yorgos Lanthimos"
      cinegraph match --title "Poor Things" --explain
      cinegraph match --json < queries.jsonl > results.jsonl
      cinegraph match --resume results.jsonl < queries.jsonl
      cinegraph match --pending
      cinegraph match --pending --list
    """  # noqa: D301 - click reads the backspace
    settings = begin()
    film = {"title": title, "original_title": original_title, "year": year, "director": directors or None}
    film |= {"imdb_id": imdb_id, "runtime": runtime, "festival": festival, "edition": edition}
    if pending:
        refuse("--pending", **film, resume=resume, explain=explain or None)
        if lists:
            refuse("--pending --list", limit=limit, parked=parked)
            return list_waiting(settings, as_json=as_json)
        return run(_pending(settings, limit, parked or "skip", as_json=as_json))
    refuse("a match without --pending", list=lists or None, limit=limit, parked=parked)
    if not names_film(film):
        refuse("a match without --title, --original-title or --imdb-id", **film)
        return run(_lines(settings, _input(as_json=as_json, resume=resume), resume, explain=explain))
    refuse("a single film", resume=resume)
    return run(_single(settings, query_of(film), as_json=as_json, explain=explain))


def _input(*, as_json: bool, resume: Path | None) -> int:
    if not as_json and resume is None:
        raise UsageError("what shall be matched? Give --title, or --json with queries on standard input, or --pending")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "--json reads queries from standard input, one JSON object a line: cinegraph match --json < queries.jsonl"
        )
    return sys.stdin.fileno()


async def _single(settings: Settings, query: FilmQuery, *, as_json: bool, explain: bool) -> int:
    async with Application.open(settings) as application:
        found = await (await _remembering(application)).match(query, explain=explain)
    if as_json:
        print_json(match_to_json(found))
    else:
        show_match(found, settings)
    if found.status == "error":
        say(f"Error: {found.error_message or found.error_type}; so nothing is known about this film")
        say(f"→ {remedy(found.error_type or 'unknown')}")
        return FAILED
    return DONE


async def _remembering(application: Application) -> Remembering:
    return Remembering(application.cascade, await application.database.run(decided_by_people))


async def _lines(settings: Settings, descriptor: int, resume: Path | None, *, explain: bool) -> int:
    results = Results(resume)
    try:
        async with Application.open(settings) as application:
            with progress("matching", count_lines(descriptor)) as advance:
                matcher = LineMatcher(await _remembering(application), results, advance, explain=explain)
                await matcher.run(descriptor)
    finally:
        results.close()
    if not matcher.read:
        say("there is no query on standard input; give one JSON object a line")
        return NOTHING_TO_DO
    if matcher.failures:
        say(f"{matcher.failures.total()} of the results have the status error")
        tell_remedies(matcher.failures)
        return FAILED
    return DONE


async def _pending(settings: Settings, limit: int | None, parked: str, *, as_json: bool) -> int:
    async with Application.open(settings) as application:
        now = application.clock.now()
        waiting = await application.database.run(pending_films, now=now)
        put_by = await application.database.run(parked_films, now=now)
        if not waiting and not put_by:
            return await _nothing_pending(application, as_json=as_json)
        chosen = sorted({*waiting, *put_by} if parked == "ask" else waiting)[:limit]
        later = dict(islice(put_by.items(), None if limit is None else limit - len(chosen))) if parked == "wait" else {}
        with progress("matching", len(chosen) + len(later)) as advance:
            backlog = Backlog(application, chosen, say, advance, parked=later, waits=parked == "wait")
            reached_end = await backlog.run()
        now = application.clock.now()
        left = len(await application.database.run(pending_films, now=now))
        put_by = await application.database.run(parked_films, now=now)
    _tell_decided(backlog.decided, left, put_by, settings, as_json=as_json)
    if not reached_end or backlog.decided["error"]:
        say(f"{left} films are left; run `cinegraph match --pending` again when the service is back")
        tell_remedies(backlog.troubles)
        return FAILED
    return DONE


def _tell_decided(
    counts: Mapping[str, int], left: int, put_by: Mapping[int, float], settings: Settings, *, as_json: bool
) -> None:
    """Say what became of the films that waited; ``put_by`` are those that are parked, and until when (epoch seconds)."""
    decided = {status: counts.get(status, 0) for status in _STATUSES}
    if as_json:
        print_json(_pending_document(decided, left, put_by))
    else:
        print_table(titled("Decided", settings), _STATUSES, [list(decided.values())], right=_STATUSES)
    if put_by:
        say(f"{len(put_by)} films are parked until a quota or budget begins anew, the first at {moment(min(put_by.values()))}")
        say("→ run `cinegraph match --pending` again then; --parked wait waits for it, --parked ask asks for them at once")


def _pending_document(decided: Mapping[str, int], left: int, parked: Mapping[int, float]) -> dict[str, Any]:
    """Return what became of the films that waited; ``left`` may be asked for now, ``parked`` not before the moment given."""
    until = datetime.fromtimestamp(min(parked.values()), UTC).isoformat() if parked else None
    return {"decided": dict(decided), "left": left, "parked": len(parked), "parked_until": until}


async def _nothing_pending(application: Application, *, as_json: bool) -> int:
    """Say that no film waits; that is a success where every film is decided, and nothing to do where none is stored."""
    stored = await application.database.run(count_films)
    if as_json:
        print_json(_pending_document(dict.fromkeys(_STATUSES, 0), 0, {}))
    if stored:
        say(f"nothing is pending: all {stored} stored films are decided or in review")
        return DONE
    say("no film is stored yet; crawl a festival first, e.g. cinegraph crawl venice -a year=2024")
    return NOTHING_TO_DO
