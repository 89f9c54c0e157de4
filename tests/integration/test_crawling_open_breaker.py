"""A site that fails: whoever waits in Scrapy's queue is called back, and one that says when to come back loses no page."""

from __future__ import annotations

import threading
from pathlib import Path

from scrapy.spidermiddlewares.httperror import HttpError

from cinegraph_core.errors import CircuitOpenError
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, html
from tests.support.visits import noted, statuses, visit

PATHS = tuple(f"/{number}" for number in range(12))


def test_what_waits_in_scrapys_queue_is_called_back_when_the_breaker_opens(server: FaultServer, tmp_path: Path) -> None:
    paths = PATHS[:8]
    for path in paths:
        server.plan(path, answer(503))
    urls = [server.url + path for path in paths]
    queue = {"DOWNLOAD_DELAY": 0.1, "DOWNLOAD_DELAY_JITTER": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": len(paths)}
    crawled = visit(tmp_path, *urls, clock=PatientClock(patience=0.01), **queue)
    assert sum(server.counts.values()) == 5
    refused = [row for row in crawled.rows if row.error_type == "circuit_open"]
    assert {row.attempts for row in refused} == {0}
    assert {type(item["error"]).__name__ for item in crawled.items} == {HttpError.__name__, CircuitOpenError.__name__}
    assert len(crawled.rows) == len(paths)


def together(count: int, behaviour: Behaviour) -> Behaviour:
    """Answer only when so many requests are under way."""
    gate = threading.Barrier(count)

    def wait(exchange: Exchange) -> None:
        gate.wait(timeout=10)
        behaviour(exchange)

    return wait


def test_lesson_22_a_site_that_says_503_and_when_to_come_back_loses_no_page(server: FaultServer, tmp_path: Path) -> None:
    at_once = 8
    later = answer(503, b"maintenance", {"Retry-After": "12"})
    told = together(at_once, later)
    for path in PATHS:
        server.plan(path, html(200))
    for path in PATHS[:at_once]:
        server.plan(path, told, html(200))
    urls = [server.url + path for path in PATHS]
    places = {"CONCURRENT_REQUESTS": at_once, "CONCURRENT_REQUESTS_PER_DOMAIN": at_once}
    crawled, handler = noted(tmp_path, *urls, clock=FakeClock(), **places)
    assert statuses(crawled) == [200] * len(PATHS)
    (left,) = handler.left.values()
    assert [round(moment) >= 12 for moment in left] == [False] * at_once + [True] * len(PATHS)
