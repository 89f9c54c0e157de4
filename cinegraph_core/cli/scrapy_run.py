"""Scrapy's own ``crawl``, run in this process and from any folder, and watched while it runs."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from scrapy import exceptions
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.conf import feed_process_params_from_cli

from cinegraph_core.cli.crawl_status import live_status
from cinegraph_core.crawling.addon import MODE_TOLD
from cinegraph_core.crawling.commands.crawl import Command
from cinegraph_core.crawling.house import house_of
from cinegraph_core.crawling.ledger import Entry
from cinegraph_core.errors import UsageError
from cinegraph_core.tracking.tracker import Traffic

PROJECT = "cinegraph_spiders.settings"
"""Scrapy settings used unless SCRAPY_SETTINGS_MODULE names others; a string, because the core imports no spider."""


def project_settings(append: Sequence[str], overwrite: Sequence[str]) -> Settings:
    """Return the project's settings with these feeds; raises :class:`UsageError` for a format that does not exist."""
    settings = Settings()
    settings.setmodule(os.environ.get("SCRAPY_SETTINGS_MODULE", PROJECT), priority="project")
    # Scrapy would add a handler of its own, and every log line would appear twice.
    settings.set("LOG_INSTALL_ROOT_HANDLER", False, priority="cmdline")
    settings.set(MODE_TOLD, True, priority="cmdline")
    if append or overwrite:
        try:
            feeds = feed_process_params_from_cli(settings, list(append), overwrite_output=list(overwrite))
        except exceptions.UsageError as error:
            raise UsageError(str(error)) from None
        settings.set("FEEDS", feeds, priority="cmdline")
    return settings


class ScrapyRun(Command):
    """One crawl; afterwards ``entries`` say what became of each edition, and ``statistics`` what Scrapy counted."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def crawl(self, spider: str, arguments: Mapping[str, str]) -> int:
        """Run to the end and return the exit code; raises :class:`ConfigurationError` for what is wrong beforehand."""
        self.crawler_process = AsyncCrawlerProcess(self.settings)
        try:
            with live_status(spider, self.statistics):
                self.run([spider], Namespace(spargs=dict(arguments)))
        except exceptions.UsageError as error:
            raise UsageError(str(error)) from None
        return int(self.exitcode)

    @property
    def has_begun(self) -> bool:
        """Whether there was a crawl at all."""
        return bool(self.statistics())

    def statistics(self) -> Mapping[str, Any]:
        """Return Scrapy's figures, empty before it has begun."""
        try:
            return self.started.stats.get_stats() if self.started is not None else {}
        except RuntimeError:
            # Scrapy's answer while the crawler is there and its statistics are not.
            return {}

    @property
    def entries(self) -> list[Entry]:
        """Return every edition that was stored, whatever became of its item afterwards."""
        return house_of(self.started).ledger(self.started).entries if self.started is not None else []

    @property
    def traffic(self) -> Traffic:
        """What this process asked of each service, whatever others did meanwhile."""
        return house_of(self.started).traffic if self.started is not None else Traffic()

    @property
    def found_nothing(self) -> bool:
        """Whether the crawl ended well and empty-handed, though no page said that there is nothing."""
        statistics = self.statistics()
        entries = self.entries
        found = sum(len(entry.stored.nomination_ids) for entry in entries)
        items = 0 if entries else statistics.get("item_scraped_count", 0)
        return statistics.get("finish_reason") == "finished" and not found and not items
