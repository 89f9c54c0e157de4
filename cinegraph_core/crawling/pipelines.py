"""From an edition to the database: store first, match after, film by film. Other items pass untouched."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from cinegraph_core.crawling.arguments import says_withdraw
from cinegraph_core.crawling.house import house_of
from cinegraph_core.deciding import LockedDoor, decide
from cinegraph_core.errors import ProvenanceError
from cinegraph_core.records import Edition
from cinegraph_core.storage.audit import current_user
from cinegraph_core.storage.editions import StoredEdition, store_edition
from cinegraph_core.storage.films import film_query, pending_films
from cinegraph_core.storage.lines import feed_lines
from cinegraph_core.storage.tables import PARKED

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

    def _refuse(self, edition: Edition, reason: ProvenanceError | str) -> None:
        """Say that fakes were kept out; the crawl counts as failed, but goes on."""
        log.error("%s %d: %s", edition.festival, edition.year, reason)
        self._crawler.stats.inc_value("cinegraph/refused")


class StorePipeline(_Pipeline):
    """Writes each edition in one transaction, with what became of each of its pages."""

    async def process_item(self, item: Any) -> Any:
        """Store an edition and enter it in the ledger.

        Fakes that may not be stored as truth are refused in a sentence; whatever else the database raises makes the item an
        error. In both cases nothing of the edition is written or entered.
        """
        if not isinstance(item, Edition):
            return item
        try:
            stored = await self._app.database.run(
                store_edition, item, aliases=self._aliases(), now=self._app.clock.now(), withdraw_by=self._withdraw_by()
            )
        except ProvenanceError as error:
            self._refuse(item, error)
            return item
        self._ledger.enter(item, stored)
        self._crawler.stats.inc_value("cinegraph/nominations", len(stored.nomination_ids))
        self._tell(item, stored)
        return item

    def _tell(self, edition: Edition, stored: StoredEdition) -> None:
        """Say what was stored; which pages are suspicious and why, storage itself has said."""
        words = [stored.status, f"{len(stored.nomination_ids)} nominations stored"]
        if stored.withdrawn:
            words.append(f"{stored.withdrawn} statements withdrawn")
        if stored.suspicious:
            words.append(f"suspicious pages: {len(stored.suspicious)}")
            self._crawler.stats.inc_value("cinegraph/suspicious", len(stored.suspicious))
        log.info("%s %d: %s", edition.festival, edition.year, ", ".join(words))

    def _withdraw_by(self) -> str | None:
        """Return the person who said ``withdraw=true``, if one did."""
        said = getattr(self._crawler.spider, "arguments", {})
        return current_user() if says_withdraw(said) else None

    def _aliases(self) -> Mapping[str, str]:
        """Return the aliases of every source, as the crawl does not know which sources speak of one edition."""
        return {alias: name for source in self._app.plugins.sources().values() for alias, name in source.aliases.items()}


@dataclass
class _Round:
    """The films of one edition on their way through the cascade, and how they fared."""

    films: Iterator[int]
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    door: LockedDoor = field(default_factory=LockedDoor)
    fakes: int = 0
    """Answers on which no decision may rest."""


class MatchPipeline(_Pipeline):
    """Looks up the films of a stored edition that are still to be decided, and commits each decision by itself.

    Stops between films when the crawl closes, or when the catalogue refuses the key. A film whose answer may not be stored as
    truth stays pending, with the reason.
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
        work = _Round(iter(films))
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CONCURRENT_LOOKUPS, len(films))):
                group.create_task(self._work(work))
        if work.fakes:
            self._refuse(item, f"{work.fakes} of {len(films)} answers may not be stored as truth; their films stay pending")
        self._report(item, len(films), work)
        return item

    async def _work(self, work: _Round) -> None:
        for film in work.films:
            if not self._crawler.crawling or work.door.is_locked:
                return
            await self._decide(film, work)

    async def _decide(self, film: int, work: _Round) -> None:
        query = await self._app.database.run(film_query, film)
        found = await self._app.cascade.match(query)
        match = await decide(self._app, film, found, query)
        work.fakes += match is not found
        work.door.note(match)
        status = match.status if match.parked_until is None else PARKED
        work.outcomes[status] += 1
        if match.error_type and match.status == "error":
            work.reasons.setdefault(match.error_type, match.error_message or "")
        self._crawler.stats.inc_value(f"cinegraph/films/{status}")

    def _report(self, edition: Edition, films: int, work: _Round) -> None:
        undone = films - sum(work.outcomes[status] for status in ("matched", "review", "not_found"))
        if undone:
            log.warning(
                "%d of %d films of %s %d have no answer yet (%s); look them up later with: cinegraph match --pending",
                undone,
                films,
                edition.festival,
                edition.year,
                "; ".join(f"{kind}: {message}" for kind, message in sorted(work.reasons.items())) or "the crawl was closed",
            )


class FeedPipeline(_Pipeline):
    """Fetches the feed lines of a stored edition, off the event loop, where a feed wants them.

    All that is known of it: a page that fails today must not take from a feed what it gave yesterday.
    """

    async def process_item(self, item: Any) -> Any:
        """Leave the lines in the ledger for the exporters."""
        stored = self._ledger.stored(item) if isinstance(item, Edition) else None
        if stored is not None and stored.edition_id is not None and self._crawler.settings.getdict("FEEDS"):
            self._ledger.write_lines(item, await self._app.database.run(feed_lines, stored.edition_id))
        return item
