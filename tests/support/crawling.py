"""Crawls inside the test's own process: no Twisted reactor, a real server, a clock turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scrapy import Spider, signals
from scrapy.crawler import AsyncCrawlerRunner

from cinegraph_core.application import Application
from cinegraph_core.contracts import Clock, MetricsSink
from cinegraph_core.records import Measurement, Mode
from cinegraph_core.settings import load_settings
from cinegraph_core.testing import FakeClock, fresh_plugins
from tests.support.sinks import PaperSink

ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500}


@dataclass
class Crawled:
    """What a crawl left behind."""

    items: list[Any]
    stats: Mapping[str, Any]
    rows: list[Measurement]
    clock: FakeClock

    def calls(self, operation: str) -> list[Measurement]:
        return [row for row in self.rows if row.kind == "call" and row.operation == operation]


@contextmanager
def opened(
    folder: Path,
    *given: object,
    clock: Clock | None = None,
    database_url: str | None = None,
    mode: Mode = "real",
    **settings: Any,
) -> Iterator[tuple[Application, PaperSink]]:
    """Open an application whose plugins are exactly what is given, and a sink."""
    sink = PaperSink()
    plugins = fresh_plugins(*given, MetricsSink("paper", sink.open))
    chosen = load_settings(
        directory=folder, environ={}, mode=mode, database_url=database_url or f"sqlite:///{folder / 'crawl.db'}", **settings
    )
    with Application.open(chosen, clock=clock or FakeClock(), plugins=plugins) as application:
        yield application, sink


def crawl(
    folder: Path,
    spider: type[Spider],
    *given: object,
    services: Mapping[str, Mapping[str, Any]] | None = None,
    scrapy: Mapping[str, Any] | None = None,
    database_url: str | None = None,
    clock: FakeClock | None = None,
    mode: Mode = "real",
    **arguments: str,
) -> Crawled:
    """Run one spider to its end; ``services`` are settings by service, ``scrapy`` Scrapy's own."""
    clock = clock or FakeClock()
    settings: dict[str, Any] = {"mode": mode, "services": services or {}}
    with opened(folder, *given, clock=clock, database_url=database_url, **settings) as (application, sink):
        items, stats = asyncio.run(crawl_in(application, spider, scrapy or {}, arguments))
        application.tracker.flush()
        return Crawled(items, stats, list(sink.rows), clock)


async def crawl_in(
    application: Application, spider: type[Spider], settings: Mapping[str, Any], arguments: Mapping[str, str]
) -> tuple[list[Any], Mapping[str, Any]]:
    """Run one spider in an open application; return its items and Scrapy's statistics."""
    items: list[Any] = []

    def scraped(item: Any) -> None:
        items.append(item)

    own = {"TWISTED_REACTOR_ENABLED": False, "ADDONS": ADDONS, "CINEGRAPH_APPLICATION": application}
    runner = AsyncCrawlerRunner({**own, "DOWNLOAD_DELAY": 0, **settings})
    crawler = runner.create_crawler(spider)
    crawler.signals.connect(scraped, signal=signals.item_scraped, weak=False)
    await runner.crawl(crawler, **arguments)
    return items, crawler.stats.get_stats()
