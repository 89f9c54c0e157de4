"""Crawls by a spider that knows nothing of Cinegraph."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.http import Response

from cinegraph_core.crawling.download_asyncio import OneAttemptAsyncioDownloadHandler
from cinegraph_core.testing import FakeClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import Behaviour, answer


class Visitor(Spider):
    """A spider that knows nothing of Cinegraph."""

    name = "visitor"
    urls: tuple[str, ...] = ()

    async def start(self) -> Any:
        for url in self.urls:
            yield Request(url, callback=self.came, errback=self.failed)

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"status": response.status, "url": response.url}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value, "url": failure.request.url}


class ClosingVisitor(Visitor):
    """Is stopped, as by Ctrl-C, while its pages wait."""

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        self.stopping = asyncio.ensure_future(self.crawler.stop_async())
        yield from super().came(response)


def visit(folder: Path, *urls: str, clock: FakeClock | None = None, **scrapy: Any) -> Crawled:
    spider = type("Visit", (Visitor,), {"urls": urls})
    return crawl(folder, spider, clock=clock, scrapy={"ROBOTSTXT_OBEY": False, **scrapy})


def statuses(crawled: Crawled) -> list[Any]:
    return [item.get("status") or item["error"] for item in crawled.items]


def too_many(seconds: int) -> Behaviour:
    return answer(429, b"", {"Retry-After": str(seconds)})


class NotingHandler(OneAttemptAsyncioDownloadHandler):
    """Notes on the clock when a request leaves, by its host, and how many had left when the host asked for a pause."""

    clock: FakeClock
    left: defaultdict[str, list[float]]
    told: dict[str, int]

    async def download_request(self, request: Request) -> Response:
        left = self.left[host := urlsplit(request.url).netloc]
        left.append(self.clock.monotonic())
        response = await super().download_request(request)
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.told.setdefault(host, len(left))
        return response


def noted(folder: Path, *urls: str, clock: FakeClock, **scrapy: Any) -> tuple[Crawled, type[NotingHandler]]:
    """Visit pages; return the handler that noted when requests left, too."""
    handler = type("Noting", (NotingHandler,), {"clock": clock, "left": defaultdict(list), "told": {}})
    crawled = visit(folder, *urls, clock=clock, DOWNLOAD_HANDLERS={"http": handler}, **scrapy)
    return crawled, handler
