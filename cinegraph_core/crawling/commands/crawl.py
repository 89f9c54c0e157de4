"""``scrapy crawl`` that checks the arguments before it starts, and whose exit code tells how it went."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scrapy import exceptions
from scrapy.commands import crawl

from cinegraph_core.crawling.arguments import plan
from cinegraph_core.crawling.commands.checks import check_settings
from cinegraph_core.crawling.feed_files import broken_feeds, check_feeds
from cinegraph_core.crawling.house import House
from cinegraph_core.crawling.spider import EditionSpider
from cinegraph_core.endings import DONE, FAILED, INTERRUPTED, complain
from cinegraph_core.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

_FAILURES = (
    "spider_exceptions/count",
    "cinegraph/item_errors",
    "cinegraph/refused",
    "cinegraph/suspicious",
    "cinegraph/pages/error",
    "cinegraph/pages/blocked",
    "cinegraph/pages/layout_changed",
    "cinegraph/films/error",
)
"""Statistics that are absent from a crawl in which nothing failed."""


class Command(crawl.Command):
    """Ends with 0 (done), 1 (something failed, and the log says what), 2 (wrong usage) or 130 (interrupted)."""

    started: Crawler | None = None
    """The crawl, once there is one."""

    def process_options(self, args: list[str], opts: Namespace) -> None:
        """Refuse wrong settings before Scrapy looks for the spiders."""
        super().process_options(args, opts)
        check_settings()

    def run(self, args: list[str], opts: Namespace) -> None:
        """Crawl one spider."""
        try:
            self._check(args, opts.spargs)
        except UsageError as error:
            raise exceptions.UsageError(str(error), print_help=False) from None
        except ConfigurationError as error:
            complain(error)
            self.exitcode = FAILED
            return
        super().run(args, opts)
        self.exitcode = self.exitcode or ending(self.started)
        if self.exitcode == INTERRUPTED:
            sys.stderr.write("interrupted; whatever was done is kept, and the same crawl goes on from there\n")
        for feed, reason in self.broken_feeds.items():
            sys.stderr.write(
                f"the feed {feed} is not whole: {reason}; what was found is stored, and another crawl writes it anew\n"
            )

    @property
    def broken_feeds(self) -> Mapping[str, str]:
        """Every feed that is not whole, with the reason."""
        return broken_feeds(self.started) if self.started is not None else {}

    def _check(self, args: list[str], arguments: dict[str, str]) -> None:
        """Plan the editions and open the house, so that what is wrong is told in one sentence before anything begins."""
        if len(args) != 1 or self.crawler_process is None:
            return
        loader = self.crawler_process.spider_loader
        if args[0] not in loader.list():
            raise UsageError(f"there is no spider {args[0]!r}; there are: {', '.join(sorted(loader.list()))}")
        spider = loader.load(args[0])
        source = getattr(loader, "sources", {}).get(getattr(spider, "source_name", "") or spider.name)
        if issubclass(spider, EditionSpider) and source is not None:
            plan(source, arguments)
        check_feeds(self.crawler_process.settings)
        # Only now: opening creates the database.
        _ = House.of(self.crawler_process.settings).application

    def _create_crawler(self, spidercls: type[Spider] | str) -> Crawler:
        self.started = super()._create_crawler(spidercls)
        return self.started


def ending(crawler: Crawler | None) -> int:
    """Return the exit code of a crawl that has ended."""
    if crawler is None:
        return FAILED
    return ending_of(crawler.stats.get_stats()) or (FAILED if broken_feeds(crawler) else DONE)


def ending_of(stats: Mapping[str, Any]) -> int:
    """Return the exit code that a crawl's statistics stand for."""
    # A second Ctrl-C stops the reactor at once, and nobody is left to note why the crawl ended.
    if stats.get("finish_reason", "shutdown" if "start_time" in stats else None) == "shutdown":
        return INTERRUPTED
    if stats.get("finish_reason") not in ("finished", "no_data") or any(stats.get(name) for name in _FAILURES):
        return FAILED
    return DONE
