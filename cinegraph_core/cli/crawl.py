"""``cinegraph crawl``: ``scrapy crawl`` from any folder, and a table of what was found."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import click

from cinegraph_core.cli.crawl_report import (
    FEED,
    CrawlReport,
    count_films,
    feed_problems,
    print_report,
    problems_of,
)
from cinegraph_core.cli.mode import begin
from cinegraph_core.cli.opening import opened_database
from cinegraph_core.cli.output import print_json, say
from cinegraph_core.cli.remedies import tell_remedies
from cinegraph_core.cli.scrapy_run import ScrapyRun, project_settings
from cinegraph_core.crawling.arguments import only_missing
from cinegraph_core.endings import DONE, INTERRUPTED, NOTHING_TO_DO
from cinegraph_core.errors import UsageError
from cinegraph_core.plugins import load_plugins
from cinegraph_core.settings import Settings
from cinegraph_core.storage.films import UNDECIDED, waiting_films
from cinegraph_core.storage.tables import PARKED

_SUGGESTIONS = 3


@click.command()
@click.argument("spider")
@click.option("-a", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument of the spider, e.g. year=2024.")
@click.option("-O", "overwrite", multiple=True, metavar="FILE", help="Write what is found to FILE, replacing it.")
@click.option("-o", "append", multiple=True, metavar="FILE", help="Append what is found to FILE (-:jsonl is standard output).")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON document.")
def crawl(spider: str, arguments: tuple[str, ...], overwrite: tuple[str, ...], append: tuple[str, ...], as_json: bool) -> int:
    """Crawl SPIDER, match its films and store both, then say what was found.

    \b
    Examples:
      cinegraph crawl venice -a year=2024
      cinegraph crawl venice -a years=2022-2024 -O venice.jsonl
      cinegraph crawl imdb -a event=ev0000681 -a year=2023
    """  # noqa: D301 - click reads the backspace
    given = _named(arguments)
    scrapy_settings = project_settings(append, overwrite)
    feed_on_stdout = "stdout:" in scrapy_settings.getdict("FEEDS")
    if feed_on_stdout and as_json:
        raise UsageError("a feed on standard output and --json do not go together; write the feed to a file")
    settings, begun = begin(), time.time()
    run = ScrapyRun(scrapy_settings)
    code = run.crawl(spider, given)
    if not run.has_begun:
        return code
    report = _report(run, settings, spider, time.time() - begun)
    if as_json:
        print_json(asdict(report))
    elif report.editions or code != INTERRUPTED:
        print_report(report, settings, to_stderr=feed_on_stdout)
        tell_remedies(report.film_errors)
        for hint in _hints(report, settings, given):
            say(f"→ {hint}")
        say("Try next:")
        for line in islice(_suggestions(report, settings, given), _SUGGESTIONS):
            say(f"  {line}")
    if code == DONE and run.found_nothing:
        return _empty_handed(given, report)
    return code


def _empty_handed(given: Mapping[str, str], report: CrawlReport) -> int:
    """Say why nothing was found; that is a success where no edition was missing, or where all that was left is parked."""
    if report.pages.get("parked"):
        say("what was to be read is parked until a quota or budget begins anew; crawl again then, with -a missing=true")
        return DONE
    if only_missing(given):
        say("no page is missing: every edition asked for is stored already")
        if report.films_waiting:
            say(f"{report.films_waiting} films wait for an answer; which, and why: cinegraph match --pending --list")
        return DONE
    say("nothing was found where something was expected; `cinegraph --debug crawl …` tells what the pages said")
    return NOTHING_TO_DO


def _named(arguments: Sequence[str]) -> dict[str, str]:
    for argument in arguments:
        if not argument.partition("=")[0] or "=" not in argument:
            raise UsageError(f"-a {argument}: write NAME=VALUE, e.g. -a year=2024")
    return dict(argument.split("=", 1) for argument in arguments)


def _report(run: ScrapyRun, settings: Settings, spider: str, seconds: float) -> CrawlReport:
    statistics = run.statistics()
    pages = {
        key.removeprefix("cinegraph/pages/"): value for key, value in statistics.items() if key.startswith("cinegraph/pages/")
    }
    entries = run.entries
    with opened_database(settings) as database, database.reading() as session:
        films = count_films(session, [entry.stored for entry in entries])
        waiting = len(waiting_films(session, now=time.time()))
    traffic = run.traffic
    return CrawlReport(
        spider=spider,
        mode=settings.mode,
        reason=str(statistics.get("finish_reason", "unknown")),
        seconds=round(seconds, 1),
        editions=[
            {
                "festival": entry.festival,
                "year": entry.year,
                "status": entry.stored.status,
                "nominations": len(entry.stored.nomination_ids),
                "withdrawn": entry.stored.withdrawn,
                "suspicious": list(entry.stored.suspicious),
            }
            for entry in entries
        ],
        nominations=sum(len(entry.stored.nomination_ids) for entry in entries),
        films=films.statuses.total(),
        films_by_status=dict(films.statuses),
        film_errors=dict(films.errors),
        matched_by_level=dict(films.levels),
        pages=pages,
        films_waiting=waiting,
        calls=dict(+traffic.calls),
        requests={service: traffic.requests[service] for service in +traffic.calls},
        problems=[*problems_of(entries), *feed_problems(run.broken_feeds)],
    )


def _hints(report: CrawlReport, settings: Settings, given: Mapping[str, str]) -> Iterator[str]:
    """Yield what else may help where pages brought nothing: another source of the spider's, another mode than mock."""
    source = load_plugins(blocked=settings.disable_plugins).sources().get(report.spider)
    if report.pages.get("blocked") and source is not None and "via" in source.arguments and "via" not in given:
        yield f"blocked pages: read the other source alone with -a via=…: {source.arguments['via']}"
    if settings.mode == "mock" and any(edition["status"] not in ("complete", "partial") for edition in report.editions):
        yield "mock mode: the bundled replica holds but a few editions (see the README); set TMDB_API_KEY to ask the real sites"


def _suggestions(report: CrawlReport, settings: Settings, given: Mapping[str, str]) -> Iterator[str]:
    """Yield commands worth trying next, the most useful first, as they can be pasted."""
    command = _own_command(settings)
    chosen = "".join(f" -a {name}={value}" for name, value in given.items())
    outcomes = {problem["outcome"] for problem in report.problems}
    to_feed = f"{command} crawl {report.spider}{chosen} -O {report.spider}.jsonl"
    if FEED in outcomes:
        yield to_feed
    if outcomes - {FEED}:
        holds_some = any(edition["status"] == "partial" for edition in report.editions)
        rest = " -a missing=true" if holds_some and not only_missing(given) else ""
        yield f"{command} crawl {report.spider}{chosen}{rest}"
    if "error" in outcomes:
        yield f"{command} doctor --probe"
    if any(report.films_by_status.get(status) for status in (UNDECIDED, PARKED, "error")):
        yield f"{command} match --pending"
    if report.films_by_status.get("review"):
        yield f"{command} review list"
    yield f"{command} metrics summary --hours 24"
    if FEED not in outcomes:
        yield to_feed
    yield f'{command} match --title "Poor Things" --year 2023'


def _own_command(settings: Settings) -> str:
    program = "cinegraph" if shutil.which("cinegraph") else _relative(Path(sys.argv[0]))
    is_forced = settings.mode == "mock" and settings.service("tmdb").api_key is not None
    return f"CINEGRAPH_MODE=mock {program}" if is_forced else program


def _relative(path: Path) -> str:
    path = path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
