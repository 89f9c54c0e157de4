"""The addon that gives any Scrapy project the door, the store and the spiders of every installed source."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.redirect import MetaRefreshMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.utils.misc import load_object
from scrapy.utils.reactor import is_asyncio_reactor_installed, is_reactor_installed

from cinegraph_core.crawling.beside import ForeignRefreshMiddleware, OtherSchemesRetryMiddleware
from cinegraph_core.crawling.door import DoorMiddleware
from cinegraph_core.crawling.download import OneAttemptDownloadHandler
from cinegraph_core.crawling.downloader import DoorDownloader
from cinegraph_core.crawling.feed_files import LOCAL, FeedFile
from cinegraph_core.crawling.feeds import EXPORTERS
from cinegraph_core.crawling.house import House
from cinegraph_core.crawling.loader import PluginSpiderLoader
from cinegraph_core.crawling.pipelines import FeedPipeline, MatchPipeline, StorePipeline
from cinegraph_core.crawling.robots import ServiceRobotsMiddleware
from cinegraph_core.crawling.turns import LONGEST_PAUSE
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.services.agent import user_agent
from cinegraph_core.settings import mock_notice

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from cinegraph_core.application import Application

_PRIORITY = "addon"
_FLUSH_SECONDS = 10.0
MODE_TOLD = "CINEGRAPH_MODE_TOLD"
"""Scrapy setting: the caller has shown the mock-data notice already."""
_WITHOUT_REACTOR = "cinegraph_core.crawling.download_asyncio.OneAttemptAsyncioDownloadHandler"
_SETTINGS: dict[str, Any] = {
    LONGEST_PAUSE: 3600.0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
    "DOWNLOADER": DoorDownloader,
    "DOWNLOAD_DELAY": 1.0,
    "DOWNLOAD_DELAY_JITTER": 0.5,
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "FEED_EXPORT_ENCODING": "utf-8",
    "REMOTE_CONTROL_ENABLED": False,
    "ROBOTSTXT_OBEY": True,
    "TELNETCONSOLE_ENABLED": False,
}
"""What every crawl should begin with; a project's own settings win."""
_NO_DOWNLOADER = (
    "DOWNLOADER is not derived from cinegraph_core.crawling.downloader.DoorDownloader: waits in Scrapy's slots will count as the"
    " sites' own time, and an answer that a middleware rejects will keep its place until the crawl ends"
)

log = logging.getLogger(__name__)


class CinegraphAddon:
    """``ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500}``: every request of the project goes through the door.

    The project keeps its spiders and settings; its retries and robots.txt become the door's. ``application`` is open while
    the crawl runs.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._house = House.of(crawler.settings)
        self.application: Application = self._house.enter()
        self._spares_collector = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Open the house for a crawl; raises :class:`ConfigurationError` where it cannot be opened, or there is no asyncio."""
        _check_reactor(crawler.settings)
        addon = cls(crawler)
        addon._tell(crawler.settings)
        crawler.signals.connect(addon._start_replicas, signal=signals.spider_opened)
        crawler.signals.connect(addon._spare_collector, signal=signals.spider_opened)
        crawler.signals.connect(addon._count_failure, signal=signals.item_error)
        crawler.signals.connect(addon._flush, signal=signals.spider_closed)
        crawler.signals.connect(addon._leave, signal=signals.engine_stopped)
        return addon

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """Bring in the installed sources' spiders, and one house for all crawls of the process."""
        settings.set("LOG_LEVEL", "INFO", _PRIORITY)
        settings.set("SPIDER_LOADER_CLASS", PluginSpiderLoader, _PRIORITY)
        House.of(settings)

    def update_settings(self, settings: BaseSettings) -> None:
        """Put the door into the chain."""
        chosen = self.application.settings
        for name, value in {**_SETTINGS, "USER_AGENT": user_agent(chosen.contact), "LOG_LEVEL": chosen.log_level}.items():
            settings.set(name, value, _PRIORITY)
        middlewares = "DOWNLOADER_MIDDLEWARES"
        # The door retries and obeys each service's robots.txt: a second layer would multiply all that.
        settings.set_in_component_priority_dict(middlewares, RobotsTxtMiddleware, None)
        _replace(settings, RetryMiddleware, OtherSchemesRetryMiddleware)
        _replace(settings, MetaRefreshMiddleware, ForeignRefreshMiddleware)
        settings.setdefault_in_component_priority_dict(middlewares, ServiceRobotsMiddleware, 100)
        # Between redirects (600) and decompression, which is moved for that: the door must see each 3xx, and a readable body.
        settings.setdefault_in_component_priority_dict(middlewares, DoorMiddleware, 605)
        settings.set_in_component_priority_dict(middlewares, HttpCompressionMiddleware, 610)
        for pipeline, place in ((StorePipeline, 300), (MatchPipeline, 400), (FeedPipeline, 900)):
            settings.setdefault_in_component_priority_dict("ITEM_PIPELINES", pipeline, place)
        for extension, exporter in EXPORTERS.items():
            if extension not in settings["FEED_EXPORTERS"]:
                settings["FEED_EXPORTERS"].set(extension, exporter, _PRIORITY)
        for scheme in LOCAL:
            if scheme not in settings["FEED_STORAGES"]:
                settings["FEED_STORAGES"].set(scheme, FeedFile, _PRIORITY)
        handler = OneAttemptDownloadHandler if settings.getbool("TWISTED_REACTOR_ENABLED") else _WITHOUT_REACTOR
        for scheme in ("http", "https"):
            if scheme not in settings["DOWNLOAD_HANDLERS"]:
                # Scrapy writes its default for crawls without a reactor at this priority.
                settings["DOWNLOAD_HANDLERS"].set(scheme, handler, "project")
        self._open_slots(settings)
        if not issubclass(load_object(settings["DOWNLOADER"]), DoorDownloader):
            log.warning("%s", _NO_DOWNLOADER)

    def _open_slots(self, settings: BaseSettings) -> None:
        """Give each service a slot without a delay: the door keeps its pace, before a request takes a place or leave."""
        slots = dict(settings.getdict("DOWNLOAD_SLOTS"))
        concurrency = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        for name in self.application.plugins.services():
            slots.setdefault(name, {"concurrency": concurrency, "delay": 0.0, "jitter": 0.0})
        settings.set("DOWNLOAD_SLOTS", slots, max(settings.getpriority("DOWNLOAD_SLOTS") or 0, 15))

    def _tell(self, settings: BaseSettings) -> None:
        """Say which data is made up; nobody should find out from the database."""
        chosen = self.application.settings
        if (notice := mock_notice(chosen)) and not settings.getbool(MODE_TOLD):
            log.warning("%s", notice)
        if chosen.mode != "mock" and not chosen.contact:
            log.info("set CINEGRAPH_CONTACT to an address or page of yours, so that the sites you crawl can reach you")

    async def _start_replicas(self) -> None:
        """Start the replicas of mock mode before the first request, without holding up the event loop."""
        services = self.application.services
        for name in services.names():
            if services.mode(name) == "mock":
                # A missing replica is reported where it is needed.
                with suppress(ConfigurationError):
                    await asyncio.to_thread(services.base_url, name)

    def _spare_collector(self) -> None:
        """Keep what is loaded by now out of the garbage collector's full rounds: it stays anyway, and each would walk it."""
        if not gc.get_freeze_count():  # else the project does so itself
            gc.freeze()
            self._spares_collector = True

    def _count_failure(self) -> None:
        self._crawler.stats.inc_value("cinegraph/item_errors")

    async def _flush(self) -> None:
        """Wait until the record of this crawl is written, off the event loop."""
        if not await asyncio.to_thread(self.application.tracker.flush, _FLUSH_SECONDS):
            log.warning("not every measurement of this crawl is written yet; the rest follows at the end of the process")

    async def _leave(self) -> None:
        if self._spares_collector:
            gc.unfreeze()
        await self._house.leave()


def _check_reactor(settings: BaseSettings) -> None:
    """Raise :class:`ConfigurationError` for a reactor on which nothing of ours can wait."""
    if not settings.getbool("TWISTED_REACTOR_ENABLED"):
        return
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor  # noqa: PLC0415 - not for crawls without a reactor

    chosen = settings["TWISTED_REACTOR"]
    fits = issubclass(load_object(chosen), AsyncioSelectorReactor) if chosen else _has_asyncio()
    if not fits:
        raise ConfigurationError(
            f"the door needs asyncio, which TWISTED_REACTOR = {chosen!r} does not give; leave that setting out or set it to"
            ' "twisted.internet.asyncioreactor.AsyncioSelectorReactor"'
        )


def _has_asyncio() -> bool:
    return is_reactor_installed() and is_asyncio_reactor_installed()


def _replace(settings: BaseSettings, own: type, ours: type) -> None:
    """Put one of our middlewares into the place of one of Scrapy's, unless the project has taken that out."""
    name = "DOWNLOADER_MIDDLEWARES"
    places = settings.get_component_priority_dict_with_base(name)
    place = next((place for known, place in places.items() if place is not None and load_object(known) is own), None)
    if place is not None:
        settings.set_in_component_priority_dict(name, own, None)
        settings.setdefault_in_component_priority_dict(name, ours, place)
