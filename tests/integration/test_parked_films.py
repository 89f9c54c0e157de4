"""Work for which a quota leaves no room: parked until it begins anew, not early, none lost, attempts unchanged."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cinegraph_core.backlog import Backlog
from cinegraph_core.crawling.commands.crawl import ending_of
from cinegraph_core.crawling.loader import spider_of
from cinegraph_core.endings import DONE
from cinegraph_core.storage import Database
from cinegraph_core.storage.films import parked_films, pending_films
from cinegraph_core.testing import FakeClock
from tests.support.crawling import Crawled, crawl, opened
from tests.support.decisions import films
from tests.support.fault_server import Exchange, FaultServer, answer
from tests.support.paper import CATALOGUE, EXACT, PAPER, SITE, printed, publish_2024
from tests.support.sql import ask

NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
MIDNIGHT, DAY = NOW + 6400.0, 86_400.0
TIMEOUT = 600.0
PATIENT = {"timeout": TIMEOUT, "deadline": 10 * TIMEOUT}


class _JumpingClock(FakeClock):
    """Passes over every wait at once, but lets an attempt take the real time it needs."""

    async def sleep(self, seconds: float) -> None:
        if seconds >= TIMEOUT:
            await asyncio.Event().wait()
        await super().sleep(seconds)


def _found(exchange: Exchange) -> None:
    """Find each title ``Film 7`` as the film number 7."""
    (title,) = parse_qs(urlsplit(exchange.target).query)["query"]
    answer(200, json.dumps({"results": [{"id": int(title.split()[1])}]}).encode())(exchange)


def work_off(folder: Path, url: str, server: FaultServer, *, number: int, quota: int) -> tuple[Backlog, FakeClock, list[float]]:
    """Store films, decide about all of them on a clock that jumps, and tell when each request came."""
    clock, asked_at = _JumpingClock(NOW), list[float]()

    def answered(exchange: Exchange) -> None:
        asked_at.append(clock.now())
        _found(exchange)

    server.plan("/search/movie", answered)
    database = Database(url)
    database.prepare("live")
    films(database, *(f"Film {each}" for each in range(1, number + 1)))
    database.close()
    given = {"base_url": server.url, "daily_quota": quota, "cache_ttl": 0, **PATIENT}

    async def run(application: Any) -> Backlog:
        waiting = await application.database.run(pending_films, now=clock.now())
        backlog = Backlog(application, waiting, lambda _: None, lambda: None, waits=True)
        assert await backlog.run()
        await application.services.aclose()
        return backlog

    with opened(folder, CATALOGUE, EXACT, clock=clock, database_url=url, services={"tmdb": given}) as (application, _):
        backlog = asyncio.run(run(application))
    return backlog, clock, asked_at


def test_parked_films_are_asked_for_at_the_reset_none_early_none_lost_none_twice(
    tmp_path: Path, database_url: str, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    backlog, clock, asked_at = work_off(tmp_path, database_url, server, number=25, quota=10)
    assert backlog.decided == {"matched": 25}
    assert (backlog.parked, backlog.left) == ({}, [])
    # Ten on each day, and no request a moment before it begins: the reset comes to the second.
    assert Counter(asked_at) == {NOW: 10, MIDNIGHT: 10, MIDNIGHT + DAY: 5}
    assert clock.now() == MIDNIGHT + DAY
    ids = "select film_id, value from external_ids where source = 'tmdb' order by film_id"
    assert ask(database_url, ids) == [(film, str(film)) for film in range(1, 26)]
    assert set(ask(database_url, "select status, api_calls, retry_at from match_decisions")) == {("matched", 1, None)}
    marks = [record.message for record in caplog.records if "% used" in record.message and record.levelno == logging.WARNING]
    assert sum("100 %" in line for line in marks) == 2, "once a day"
    assert len(marks) <= 4


def crawled(folder: Path, server: FaultServer, url: str, *, later: float = 0.0, **settings: Any) -> Crawled:
    """Crawl the paper festival of 2024, some seconds later than NOW; ``settings`` are per service."""
    services = {name: {"base_url": server.url, **PATIENT, **settings.get(name, {})} for name in ("paper_site", "tmdb")}
    more = {name: settings[name] for name in ("missing",) if name in settings}
    scrapy = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1}
    clock = _JumpingClock(NOW + later)
    given = (PAPER, SITE, CATALOGUE, EXACT)
    return crawl(
        folder, spider_of(PAPER), *given, services=services, scrapy=scrapy, clock=clock, database_url=url, year="2024", **more
    )


def test_a_page_that_a_quota_keeps_back_makes_its_edition_partial_until_it_is_fetched(
    tmp_path: Path, database_url: str, server: FaultServer
) -> None:
    publish_2024(server)
    quota: dict[str, Any] = {"paper_site": {"daily_quota": 1}}
    run = crawled(tmp_path, server, database_url, **quota)
    assert (run.stats["cinegraph/pages/ok"], run.stats["cinegraph/pages/parked"]) == (1, 2)
    assert ending_of(run.stats) == DONE, "what is parked has not failed"
    assert ask(database_url, "select status from editions") == [("partial",)]
    details = "select distinct outcome, detail from edition_pages where outcome <> 'ok'"
    words = "quota_exceeded: the daily quota of paper_site has no room for another call before 2023-11-15 00:00:00 UTC"
    assert ask(database_url, details) == [("parked", words)]
    assert crawled(tmp_path, server, database_url, later=6399.0, missing="true", **quota).stats["cinegraph/pages/parked"] == 2
    whole = crawled(tmp_path, server, database_url, later=6400.0, missing="true", paper_site={"daily_quota": 3})
    assert whole.stats["cinegraph/pages/ok"] == 3
    assert ask(database_url, "select status from editions") == [("complete",)]
    assert ask(database_url, "select count(*) from nominations") == [(4,)]
    assert server.counts["/2024/lineup"] == 2


def test_a_quota_smaller_than_an_edition_brings_the_rest_of_its_pages_day_by_day(
    tmp_path: Path, database_url: str, server: FaultServer
) -> None:
    server.plan("/2024/lineup", printed({"titles": ["Lux", "Nox"], "number": 7}))
    server.plan("/2024/shorts", printed({"titles": ["Pax"]}))
    server.plan("/search/movie", printed({"results": [{"id": 11}]}))
    quota: dict[str, Any] = {"paper_site": {"daily_quota": 1}}
    assert crawled(tmp_path, server, database_url, **quota).stats["cinegraph/pages/parked"] == 1
    rest = crawled(tmp_path, server, database_url, later=6400.0, missing="true", **quota)
    assert rest.stats["cinegraph/pages/ok"] == 1
    assert (server.counts["/2024/lineup"], server.counts["/2024/shorts"]) == (1, 1)
    assert ask(database_url, "select status, number from editions") == [("complete", 7)]
    assert ask(database_url, "select count(*) from nominations") == [(3,)]


def test_an_edition_whose_missing_pages_turn_out_not_to_exist_is_whole(
    tmp_path: Path, database_url: str, server: FaultServer
) -> None:
    server.plan("/2024/lineup", printed({"titles": ["Lux", "Nox"], "number": 7}))
    server.plan("/2024/shorts", answer(404))
    server.plan("/search/movie", printed({"results": [{"id": 11}]}))
    quota: dict[str, Any] = {"paper_site": {"daily_quota": 1}}
    assert crawled(tmp_path, server, database_url, **quota).stats["cinegraph/pages/parked"] == 1
    rest = crawled(tmp_path, server, database_url, later=6400.0, missing="true", **quota)
    assert (rest.stats["cinegraph/pages/absent"], rest.stats["finish_reason"]) == (1, "finished")
    assert ask(database_url, "select status from editions") == [("complete",)]


def test_an_edition_of_which_no_page_could_be_fetched_is_parked_and_not_failed(
    tmp_path: Path, database_url: str, server: FaultServer
) -> None:
    publish_2024(server)
    run = crawled(tmp_path, server, database_url, paper_site={"daily_quota": 0})
    assert run.stats["cinegraph/pages/parked"] == 2
    assert ending_of(run.stats) == DONE
    assert ask(database_url, "select count(*) from editions") == [(0,)]
    assert server.counts.total() == 0


def test_films_of_a_crawl_that_a_quota_keeps_back_stay_pending_until_the_reset(
    tmp_path: Path, database_url: str, server: FaultServer
) -> None:
    server.plan("/2024/lineup", answer(200, b'{"titles": ["Film 1", "Film 2", "Film 3"]}'))
    server.plan("/search/movie", _found)
    run = crawled(tmp_path, server, database_url, tmdb={"daily_quota": 1})
    assert (run.stats["cinegraph/films/matched"], run.stats["cinegraph/films/parked"]) == (1, 2)
    assert "cinegraph/films/error" not in run.stats
    database = Database(database_url)
    with database.reading() as session:
        parked = parked_films(session, now=NOW)
        assert set(parked.values()) == {MIDNIGHT}
        assert pending_films(session, now=MIDNIGHT - 1) == []
        assert pending_films(session, now=MIDNIGHT) == list(parked)
    database.close()
    # Another crawl of the same day does not ask for them either.
    assert "cinegraph/films/parked" not in crawled(tmp_path, server, database_url, later=60.0, tmdb={"daily_quota": 1}).stats
    assert server.counts["/search/movie"] == 1
