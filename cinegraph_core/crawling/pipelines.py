"""From an edition to the database: store first, match after, film by film. Other items pass untouched."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from cinegraph_core.crawling.house import house_of
from cinegraph_core.records import Edition
from cinegraph_core.storage.editions import edition_lines, store_edition
from cinegraph_core.storage.films import film_query, pending_films, record_decision

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

CONCURRENT_LOOKUPS = 8
"""Films looked up side by side; the door's own limits still hold."""

log = logging.getLogger(__name__)


class _Pipeline:
    """What the three have in common: the crawl, its application and its ledger."""

    def __init__(self, crawler: Crawler) -> None:
        house = house_of(crawler)
        self._crawler = crawler
        self._app = house.application
        self._ledger = house.ledger(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build it for a crawl whose addon has opened the application."""
        return cls(crawler)


class StorePipeline(_Pipeline):
    """Writes each edition in one transaction, with the pages that came."""

    async def process_item(self, item: Any) -> Any:
        """Store an edition; whatever the database raises makes the item an error, and nothing of it is written."""
        if not isinstance(item, Edition):
            return item
        stored = await self._app.database.run(store_edition, item, aliases=self._aliases(), now=self._app.clock.now())
        self._ledger.enter(item, stored)
        level = logging.WARNING if stored.status == "failed" else logging.INFO
        log.log(level, "%s %d: %s, %d nominations stored", item.festival, item.year, stored.status, len(stored.nomination_ids))
        return item

    def _aliases(self) -> Mapping[str, str]:
        """Return the names of every source: which of them speak of one edition is not the crawl's to know."""
        return {alias: name for source in self._app.plugins.sources().values() for alias, name in source.aliases.items()}


class MatchPipeline(_Pipeline):
    """Looks up the films of a stored edition that have no id yet, and commits each decision by itself.

    Stops between films when the crawl closes: what is not decided stays pending.
    """

    async def process_item(self, item: Any) -> Any:
        """Match the pending films of an edition."""
        stored = self._ledger.stored(item) if isinstance(item, Edition) else None
        if stored is None or stored.edition_id is None:
            return item
        films = await self._app.database.run(pending_films, edition_id=stored.edition_id, now=self._app.clock.now())
        if films and not self._app.plugins.matchers():
            log.warning(
                "no matcher is active: %d films of %s %d stay pending (see `cinegraph plugins`)",
                len(films),
                item.festival,
                item.year,
            )
            return item
        queue, outcomes, reasons = iter(films), Counter[str](), dict[str, str]()
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CONCURRENT_LOOKUPS, len(films))):
                group.create_task(self._work(queue, outcomes, reasons))
        self._report(item, len(films), outcomes, reasons)
        return item

    async def _work(self, queue: Iterator[int], outcomes: Counter[str], reasons: dict[str, str]) -> None:
        for film in queue:
            if not self._crawler.crawling:
                return
            query = await self._app.database.run(film_query, film)
            match = await self._app.cascade.match(query)
            await self._app.database.run(record_decision, film, match, mode=self._app.settings.mode, now=self._app.clock.now())
            outcomes[match.status] += 1
            if match.error_type and match.status == "error":
                reasons.setdefault(match.error_type, match.error_message or "")
            self._crawler.stats.inc_value(f"cinegraph/films/{match.status}")

    def _report(self, edition: Edition, films: int, outcomes: Counter[str], reasons: Mapping[str, str]) -> None:
        undone = films - sum(outcomes[status] for status in ("matched", "review", "not_found"))
        if undone:
            log.warning(
                "%d of %d films of %s %d stay pending (%s); look them up later with: cinegraph match --pending",
                undone,
                films,
                edition.festival,
                edition.year,
                "; ".join(f"{kind}: {message}" for kind, message in sorted(reasons.items())) or "the crawl was closed",
            )


class FeedPipeline(_Pipeline):
    """Fetches the feed lines of a stored edition, off the event loop, where a feed wants them."""

    async def process_item(self, item: Any) -> Any:
        """Leave the lines in the ledger for the exporters."""
        stored = self._ledger.stored(item) if isinstance(item, Edition) else None
        if stored is not None and self._crawler.settings.getdict("FEEDS"):
            self._ledger.write_lines(item, await self._app.database.run(edition_lines, stored.nomination_ids))
        return item
