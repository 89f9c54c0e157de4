"""A source whose pages are JSON, its site and a catalogue: editions small enough to type by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cinegraph_core.contracts import (
    Answer,
    Call,
    EditionPlan,
    LookupContext,
    Matcher,
    PageInput,
    PageRequest,
    PageResult,
    ServiceSpec,
    Source,
)
from cinegraph_core.crawling.loader import spider_of
from cinegraph_core.errors import NoDataError, UsageError
from cinegraph_core.records import Candidate, Film, FilmQuery, Nomination, Statement
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import Behaviour, FaultServer, answer

SITE = ServiceSpec("paper_site", "https://paper.example", kind="site", retries=0)
CATALOGUE = ServiceSpec("tmdb", "https://tmdb.example", retries=0, breaker_failures=1000)


def page_request(path: str, *, required: bool = True) -> PageRequest:
    return PageRequest("paper_site", path, "fetch_lineup", "paper_official", required=required)


def plan(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    if unknown := sorted(set(arguments) - {"year"}):
        raise UsageError(f"paper: unknown argument {unknown[0]!r}; known is year")
    year = int(arguments["year"])
    yield EditionPlan("paper", year, (page_request(f"/{year}/lineup"), page_request(f"/{year}/shorts", required=False)))


def lost(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    """Plan an edition whose pages nobody has."""
    year = int(arguments["year"])
    yield EditionPlan("paper", year, tuple(page_request(f"/{year}/{name}", required=False) for name in "ab"))


def read(page: PageInput) -> PageResult:
    """Read pages whose body is JSON: titles, and the path of a further page."""
    said = page.answer.json()
    if not said.get("titles"):
        raise NoDataError("the page says that there was no festival")
    moment = datetime.fromtimestamp(page.fetched_at, UTC)
    statement = Statement(page.request.statement, page.answer.url, "paper", moment, page.provenance)
    nominations = tuple(
        Nomination(
            f"key-{title}", statement, section="competition", films=(Film(title, directors=("Ana Lira",)),), as_printed=title
        )
        for title in said["titles"]
    )
    follow = tuple(page_request(path) for path in said.get("follow", ()))
    return PageResult(nominations, number=said.get("number"), follow=follow, truncated=said.get("left_out", ""))


PAPER = Source(
    name="paper",
    plan=plan,
    read=read,
    arguments={"year": "the edition, e.g. year=2024"},
    festivals={"paper": "Paper Film Festival"},
    services=("paper_site",),
)
LOST = replace(PAPER, name="lost", plan=lost)


async def propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    def read(found: Answer) -> Any:
        return found.json()

    call = Call("tmdb", "search_movie", f"{query.title} ({query.year})", read=read)
    hits = await context.client("tmdb").get("/search/movie", params={"query": query.title}, call=call)
    return [
        Candidate(hit["id"], query.title, year=query.year, directors=query.directors, detailed=True) for hit in hits["results"]
    ]


EXACT = Matcher("paper_exact", 2, "exact_title_year", 0.9, propose)


def printed(value: Any) -> Behaviour:
    """A page that says this."""
    return answer(200, json.dumps(value).encode())


def publish_2024(server: FaultServer) -> FaultServer:
    """Put an edition of four films on three pages, and let the catalogue have one answer for all."""
    server.plan("/2024/lineup", printed({"titles": ["Lux", "Nox"], "number": 7, "follow": ["/2024/late"]}))
    server.plan("/2024/shorts", printed({"titles": ["Pax"]}))
    server.plan("/2024/late", printed({"titles": ["Vox"]}))
    server.plan("/search/movie", printed({"results": [{"id": 11}]}))
    return server


def crawl_paper(server: FaultServer, folder: Path, database_url: str, *given: object, **more: Any) -> Crawled:
    """Crawl the paper festival of 2024, unless a year or years are given."""
    services = {"paper_site": {"base_url": server.url}, "tmdb": {"base_url": server.url, "rate_per_second": 0}}
    arguments = {"year": "2024", **more} if "years" not in more else more
    plugins = (PAPER, SITE, CATALOGUE, *given)
    more = {"services": services, "database_url": database_url, "clock": PatientClock()}
    return crawl(folder, spider_of(PAPER), *plugins, **more, **arguments)
