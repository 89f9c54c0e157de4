"""Requests that others take over, send again or give up: each call ends, and gives back what it held, over real HTTP."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pytest
from scrapy import Request, Spider
from scrapy.http import Response

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.crawling.tickets import RECEIPT
from cinegraph_core.errors import CircuitOpenError
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import Exchange, FaultServer, answer, html, reset_at_once

NUMBERS = range(6)


class Guest(Spider):
    """A spider that knows nothing of Cinegraph."""

    name = "guest"
    base = ""
    paths: tuple[str, ...] = ()

    async def start(self) -> Any:
        yield Request("data:,", callback=self.begin)

    def begin(self, response: Response) -> Any:
        for place, path in enumerate(self.paths):
            yield Request(self.base + path, callback=self.came, errback=self.failed, priority=-place)

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"path": response.url.removeprefix(self.base), "receipt": response.meta[RECEIPT]}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value}


class AsksAnew:
    """Answers a request with another one, as middlewares do that log in or step round a ban."""

    def _anew(self, request: Request, kind: str) -> Request | None:
        if f"/{kind}/" not in request.url:
            return None
        return Request(request.url.replace(kind, "page"), callback=request.callback, errback=request.errback)

    def process_request(self, request: Request) -> Request | None:
        return self._anew(request, "asked")

    def process_response(self, request: Request, response: Response) -> Request | Response:
        return self._anew(request, "answered") or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        return self._anew(request, "failed")


class SendsAgain:
    """Sends what was refused once more, behind everything else, and with all that its meta holds."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if response.status != 503 or "/twice" not in request.url or "again" in request.meta:
            return response
        return request.replace(dont_filter=True, priority=-9, meta={**request.meta, "again": True})


def site(**more: Any) -> ServiceSpec:
    return ServiceSpec("site", "https://www.example.org", kind="site", **{"retries": 0, **more})


def visit(
    folder: Path, server: FaultServer, *paths: str, spec: ServiceSpec, spider: type[Guest] = Guest, **scrapy: Any
) -> Crawled:
    """Crawl; a call that waits for what nobody gives back waits 5 s, then it is told so."""
    clock = PatientClock(patient_from=1.0, patience=5.0)
    kind = type("Visit", (spider,), {"base": server.url, "paths": paths, "clock": clock})
    services = {"site": {"base_url": server.url}}
    return crawl(folder, kind, spec, services=services, scrapy={"ROBOTSTXT_OBEY": False, **scrapy}, clock=clock)


def ends(crawled: Crawled) -> dict[str, tuple[bool, str | None, int]]:
    return {row.target_identifier: (row.success, row.error_type, row.attempts) for row in crawled.rows}


@pytest.mark.parametrize(("kind", "sent"), [("asked", 0), ("answered", 1), ("failed", 1)])
def test_a_call_whose_request_gives_way_to_a_new_one_ends(server: FaultServer, tmp_path: Path, kind: str, sent: int) -> None:
    for number in NUMBERS:
        server.plan(f"/failed/{number}", reset_at_once)
        server.plan(f"/answered/{number}", html(200))
        server.plan(f"/page/{number}", html(200))
    paths = [f"/{kind}/{number}" for number in NUMBERS]
    spec = site(max_concurrent=2, deadline=5.0, daily_quota=len(NUMBERS) * (1 + sent))
    crawled = visit(tmp_path, server, *paths, spec=spec, DOWNLOADER_MIDDLEWARES={AsksAnew: 650})
    pages = {f"/page/{number}": (True, None, 1) for number in NUMBERS}
    assert ends(crawled) == pages | (dict.fromkeys(paths, (False, "cancelled", 1)) if sent else {})
    assert {item["path"] for item in crawled.items} == set(pages)


def test_what_is_sent_again_nearer_to_the_network_says_nothing_good_of_the_site(server: FaultServer, tmp_path: Path) -> None:
    for path in ("/once", "/twice"):
        server.plan(path, answer(503))
    spec = site(breaker_failures=2)
    own: dict[str, Any] = {"DOWNLOADER_MIDDLEWARES": {SendsAgain: 650}, "CONCURRENT_REQUESTS": 1}
    crawled = visit(tmp_path, server, "/once", "/twice", spec=spec, **own)
    assert ends(crawled) == {"/once": (False, "server_error", 1), "/twice": (False, "server_error", 2)}
    assert crawled.stats["downloader/response_status_count/503"] == 3
    refused = visit(tmp_path, server, "/good", spec=spec, **own)
    assert isinstance(refused.items[0]["error"], CircuitOpenError)


def test_what_is_sent_again_holds_no_place_while_it_waits(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/twice", answer(503), html(200))
    server.plan("/good", html(200))
    own: dict[str, Any] = {"DOWNLOADER_MIDDLEWARES": {SendsAgain: 650}, "CONCURRENT_REQUESTS": 1}
    own["SCHEDULER_PRIORITY_QUEUE"] = "scrapy.pqueues.ScrapyPriorityQueue"
    crawled = visit(tmp_path, server, "/twice", "/good", spec=site(max_concurrent=1, deadline=5.0), **own)
    assert [item.get("path") for item in crawled.items] == ["/good", "/twice"]
    assert ends(crawled) == {"/twice": (True, None, 2), "/good": (True, None, 1)}


async def until(holds: Callable[[], Any]) -> None:
    """Let the event loop go on till a condition comes true."""
    for _ in range(4000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("what was waited for never came")


class Inline(Guest):
    """Downloads by itself; slow pages are answered when it has done."""

    server: ClassVar[FaultServer]
    clock: ClassVar[PatientClock]
    opened: ClassVar[Event]

    async def begin(self, response: Response) -> Any:
        try:
            async for item in self.ask():
                yield item
        finally:
            self.opened.set()

    def ask(self) -> Any:
        raise NotImplementedError

    async def get(self, path: str) -> Response:
        response: Response = await self.crawler.engine.download_async(Request(self.base + path))
        return response

    async def given_up(self, path: str, when: Callable[[], Any] | None = None) -> None:
        """Ask for a page, and give it up as soon as something holds; else, as soon as the server has been asked."""
        task = asyncio.ensure_future(self.get(path))
        await until(when or (lambda: self.server.counts[path]))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class GivesUp(Inline):
    async def ask(self) -> Any:
        for number in NUMBERS:
            await self.given_up(f"/slow/{number}")
        yield {"status": (await self.get("/good")).status}


class AsksTwice(Inline):
    async def ask(self) -> Any:
        request = Request(self.base + "/flaky")
        for _ in range(2):
            yield {"status": (await self.crawler.engine.download_async(request)).status}


class GivesUpItsProbe(Inline):
    async def ask(self) -> Any:
        yield {"status": (await self.get("/bad")).status}
        self.clock.advance(1000.0)
        await self.given_up("/slow/0")
        yield {"status": (await self.get("/good")).status}


class GivesUpInTheQueue(Inline):
    async def ask(self) -> Any:
        first = asyncio.ensure_future(self.get("/slow/0"))
        await until(lambda: self.server.counts["/slow/0"])
        slots = self.crawler.engine.downloader.slots
        await self.given_up("/slow/1", lambda: any(slot.queue for slot in slots.values()))
        self.opened.set()
        yield {"status": (await first).status}
        yield {"status": (await self.get("/good")).status}


@pytest.fixture
def slow(server: FaultServer) -> Iterator[Callable[[type[Inline]], type[Inline]]]:
    """Plan the pages; what it gives makes a spider for them."""
    opened = Event()

    def answered_late(exchange: Exchange) -> None:
        opened.wait(20.0)
        with suppress(OSError):
            html(200)(exchange)

    for number in NUMBERS:
        server.plan(f"/slow/{number}", answered_late)
    server.plan("/bad", answer(500))
    server.plan("/good", html(200))
    yield lambda kind: type("Slow", (kind,), {"server": server, "opened": opened})
    opened.set()


Slow = Callable[[type[Inline]], type[Inline]]


def test_a_download_that_its_caller_gives_up_holds_no_place_and_leaves_its_row(
    server: FaultServer, tmp_path: Path, slow: Slow
) -> None:
    spec = site(max_concurrent=2, deadline=5.0)
    crawled = visit(tmp_path, server, spec=spec, spider=slow(GivesUp), CONCURRENT_REQUESTS_PER_DOMAIN=16)
    given_up = {f"/slow/{number}": (False, "cancelled", 1) for number in NUMBERS}
    assert ends(crawled) == {**given_up, "/good": (True, None, 1)}
    assert crawled.items == [{"status": 200}]


def test_a_probe_that_its_caller_gives_up_is_the_next_ones(server: FaultServer, tmp_path: Path, slow: Slow) -> None:
    crawled = visit(tmp_path, server, spec=site(breaker_failures=1), spider=slow(GivesUpItsProbe))
    assert [item["status"] for item in crawled.items] == [500, 200]
    assert ends(crawled)["/slow/0"] == (False, "cancelled", 1)


def test_a_download_given_up_in_scrapys_queue_is_not_sent(server: FaultServer, tmp_path: Path, slow: Slow) -> None:
    crawled = visit(tmp_path, server, spec=site(daily_quota=2), spider=slow(GivesUpInTheQueue), CONCURRENT_REQUESTS_PER_DOMAIN=1)
    assert [item["status"] for item in crawled.items] == [200, 200]
    assert ends(crawled) == {"/slow/0": (True, None, 1), "/good": (True, None, 1)}
    assert server.counts["/slow/1"] == 0


def test_a_request_that_was_tried_again_may_be_downloaded_anew(server: FaultServer, tmp_path: Path, slow: Slow) -> None:
    server.plan("/flaky", answer(503), html(200))
    crawled = visit(tmp_path, server, spec=site(retries=1), spider=slow(AsksTwice))
    assert [item["status"] for item in crawled.items] == [200, 200]
    assert [(row.success, row.attempts) for row in crawled.rows] == [(True, 2), (True, 1)]


def test_a_receipt_of_a_request_without_a_call_does_not_carry_the_page(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/long", html(200, b"<p>long</p>" * 1000))
    (item,) = visit(tmp_path, server, "/long", spec=site()).items
    assert (item["receipt"].value, item["receipt"].provenance) == (None, "live")
    assert len(pickle.dumps(item["receipt"])) < 1000, "a request made with its response's meta carries it along"
