"""One call through each adapter of the door: httpx, awaited and blocking, and Scrapy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from scrapy import Request, Spider
from scrapy.exceptions import IgnoreRequest

from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.crawling.services import CALL
from cinegraph_core.crawling.tickets import RECEIPT
from cinegraph_core.errors import RateLimitError, ServiceError
from cinegraph_core.records import Measurement
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.crawling import crawl_in, opened
from tests.support.door import NAME, Rows, open_door

RETRIES = 2


def judge(reply: Answer) -> ServiceError | None:
    """Find OMDb's way to say no."""
    return RateLimitError("Request limit reached!") if b"Request limit" in reply.body else None


def read(reply: Answer) -> Any:
    return json.loads(reply.body)


@dataclass
class Ended:
    """How one call ended."""

    error: BaseException | None
    value: Any
    rows: list[Measurement]
    waited: float
    state: str


def prepare(services: Services, clock: PatientClock, state: str) -> None:
    """Bring the service's breaker into a state."""
    breaker = services.state(NAME).breaker
    if state != "closed":
        for _ in range(5):
            breaker.failure(breaker.acquire(0.0), 0.0)
    if state == "half_open":
        clock.advance(60.0)


def spec(timeout: float) -> ServiceSpec:
    return ServiceSpec(NAME, "https://films.example", retries=RETRIES, judge=judge, timeout=timeout)


def new_clock(patience: float) -> PatientClock:
    """A clock whose 22:13:20 makes the date above four seconds away, in every state of the breaker."""
    return PatientClock(patient_from=5.0, patience=patience)


def through_httpx(url: str, state: str, patience: float, *, sync: bool) -> Ended:
    rows, clock = Rows(), new_clock(patience)
    services = open_door(spec(5.0), clock=clock, rows=rows, services={NAME: {"base_url": url, "cache_ttl": 0}})
    prepare(services, clock, state)
    began = clock.monotonic()
    request: Any = {"url": "/film", "extensions": {"cinegraph": Call(NAME, "movie_details", "tt1", read)}}
    error, response = None, None
    try:
        if sync:
            with services.sync_client(NAME) as http:
                response = http.get(**request)
        else:
            response = asyncio.run(_get(services, request))
    except ServiceError as caught:
        error = caught
        assert isinstance(caught, httpx.HTTPError), "an error of httpx too"  # noqa: PT017 - both ends are right
    value = response.extensions["cinegraph"].value if response else None
    return Ended(error, value, rows.all, clock.monotonic() - began, services.breaker_state(NAME))


async def _get(services: Services, request: Any) -> httpx.Response:
    try:
        return await services.http_client(NAME).get(**request)
    finally:
        await services.aclose()


class OnePage(Spider):
    name = "one_page"
    base = ""

    async def start(self) -> Any:
        call = Call(NAME, "movie_details", "tt1", read)
        yield Request(f"{self.base}/film", callback=self.came, errback=self.failed, meta={CALL: call})

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"value": response.meta[RECEIPT].value}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value}


def through_scrapy(url: str, state: str, patience: float, folder: Path) -> Ended:
    clock = new_clock(patience)
    with opened(folder, spec(patience), clock=clock, services={NAME: {"base_url": url, "cache_ttl": 0}}) as (application, sink):
        services = application.services
        prepare(services, clock, state)
        began = clock.monotonic()
        spider = type("OnePageOf", (OnePage,), {"base": url})
        (item,), _ = asyncio.run(crawl_in(application, spider, {"ROBOTSTXT_OBEY": False}, {}))
        application.tracker.flush()
        error = item.get("error")
        if state == "open":
            assert isinstance(error, IgnoreRequest), "a refusal is what Scrapy calls a request to be ignored"
        return Ended(error, item.get("value"), list(sink.rows), clock.monotonic() - began, services.breaker_state(NAME))


def through(adapter: str, url: str, state: str, folder: Path, *, hangs: bool) -> Ended:
    """Make the call; ``hangs``: no answer will come, so that no real time need be spent on waiting for one."""
    patience = 0.4 if hangs else 30.0
    if adapter == "scrapy":
        return through_scrapy(url, state, patience, folder)
    return through_httpx(url, state, patience, sync=adapter == "httpx sync")
