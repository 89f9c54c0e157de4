"""How one :class:`~cinegraph_core.application.Application` is shared by every crawl of a process.

Scrapy copies its settings for each crawler, and builds components long after it has read them; so the settings carry a
:class:`House` that survives the copies and opens the application only when the first crawl needs it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

from cinegraph_core.application import Application
from cinegraph_core.crawling.ledger import Ledger
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.tracking.tracker import Traffic

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

SETTING = "CINEGRAPH_APPLICATION"
"""The Scrapy setting that holds the house; an open :class:`Application` may be put there instead."""


class House:
    """Opens an application for the first crawl and closes it after the last; one that was given stays open."""

    def __init__(self, application: Application | None = None) -> None:
        self._application = application
        self._given = application is not None
        self._guests = 0
        self._traffic = Traffic()
        self._ledgers: WeakKeyDictionary[Crawler, Ledger] = WeakKeyDictionary()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @classmethod
    def of(cls, settings: BaseSettings) -> House:
        """Return the house of these settings, and put one there if there is none."""
        held = settings.get(SETTING)
        if isinstance(held, House):
            return held
        house = cls(held)
        settings.set(SETTING, house, priority=max(settings.getpriority(SETTING) or 0, 15))
        return house

    @property
    def application(self) -> Application:
        """The application, opened now if it is not; raises :class:`ConfigurationError` where it cannot be."""
        if self._application is None:
            self._application = Application.open()
        self._traffic = self._application.tracker.traffic
        return self._application

    @property
    def traffic(self) -> Traffic:
        """What the application of these crawls has asked for, also after it was closed."""
        return self._traffic

    def ledger(self, crawler: Crawler) -> Ledger:
        """Return the ledger of one crawl."""
        return self._ledgers.setdefault(crawler, Ledger())

    def enter(self) -> Application:
        """Return the application for one crawl, which gives it back with :meth:`leave`."""
        application = self.application
        self._guests += 1
        return application

    async def leave(self) -> None:
        """Give the application back; the last crawl closes it."""
        self._guests -= 1
        if self._guests or self._given or self._application is None:
            return
        application, self._application = self._application, None
        await application.services.aclose()
        # Closing waits for the writer and the tracker, which must not hold up the event loop.
        await asyncio.to_thread(application.close)


def house_of(crawler: Crawler) -> House:
    """Return the house of a crawl; raises :class:`ConfigurationError` if its project does not use the addon."""
    house = crawler.settings.get(SETTING)
    if not isinstance(house, House):
        raise ConfigurationError('put ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500} into the project\'s settings')
    return house
