"""When a request of a crawl may go: after the pause that its service asks for, and at its service's pace."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from scrapy.http import Request

from cinegraph_core.contracts import Clock
from cinegraph_core.crawling.services import Pacer
from cinegraph_core.crawling.tickets import ClosingError, Ticket
from cinegraph_core.resilience.retry import MAX_WAIT

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

LONGEST_PAUSE = "DOWNLOAD_LONGEST_PAUSE"
"""Scrapy setting: the longest pause, in seconds, that a crawl waits out when a service asks for it."""
_BEHIND = 100
"""How far a page of a service that wants a pause goes behind the pages of others."""
BREATH = 0.5
"""Seconds after which a waiting request looks whether the crawl, and what it waits for, still goes on."""
_SENT_HOME = "cinegraph_sent_home"
"""Meta key: the crawl that gave the request back to its scheduler when it closed."""


def check_open(crawler: Crawler) -> None:
    """Raise :class:`ClosingError` if a crawl is ending, so that nothing waits any further in it."""
    # The crawler's own ``crawling`` is never set in a shell.
    slot = crawler.engine._slot
    if slot is None or slot.closing is not None:
        raise ClosingError("the crawl is closing")


class Turns:
    """Lets the requests of one crawl wait; none of that time is their calls', save a backoff."""

    def __init__(self, crawler: Crawler, clock: Clock) -> None:
        self._crawler = crawler
        self._clock = clock
        self._pacer = Pacer()
        self._crawl = uuid4().hex
        # A scheduler of the project's own may well be there to keep what others forget.
        self._is_resumed = bool(crawler.settings["JOBDIR"]) or bool(crawler.settings.getpriority("SCHEDULER"))
        self.patience = crawler.settings.getfloat(LONGEST_PAUSE)

    async def comes(self, ticket: Ticket, name: str) -> bool:
        """Wait until a request is due, its service wants no pause and its pace has a place.

        Returns ``False`` if the pause is long and other requests need this one's place: it is to wait in Scrapy's queue.
        Raises :class:`ClosingError` when the crawl ends.
        """
        ticket.is_queued = False
        delay = ticket.guard.state.spec.delay or 0.0
        while True:
            now = self._clock.monotonic()
            rest = self._rest(ticket, now)
            if rest > MAX_WAIT:
                await self.pause(BREATH)
                if self._crawler.engine.needs_backout():
                    return False
                continue
            if ticket.due > now:
                # Whoever was told to wait comes after those who wait for it; else one page could keep all others from going.
                await self.pause(rest)
                now, rest = self._clock.monotonic(), 0.0
            await self.pause(rest + self._pacer.reserve(name, delay, now + rest))
            now = self._clock.monotonic()
            if not self._rest(ticket, now):
                break
        backoff = ticket.due - ticket.given_back
        ticket.guard.queued(now - ticket.given_back - backoff)
        return True

    @staticmethod
    def behind(request: Request, ticket: Ticket) -> Request:
        """Return the request that waits in Scrapy's queue, behind those of other services."""
        priority = request.priority if ticket.is_behind else request.priority - _BEHIND
        ticket.is_queued = ticket.is_behind = True
        return request.replace(dont_filter=True, priority=priority)

    def home(self, request: Request) -> Request | None:
        """Return the request that a later crawl takes up where this one closes, ``None`` if none will.

        One that has been sent home by this very crawl never came to a scheduler: somebody downloads it by himself.
        """
        if not self._is_resumed or request.meta.get(_SENT_HOME) == self._crawl:
            return None
        return request.replace(dont_filter=True, meta={**request.meta, _SENT_HOME: self._crawl})

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the crawl goes on; raises :class:`ClosingError` when it ends."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            check_open(self._crawler)
            await self._clock.sleep(min(left, BREATH))

    def _rest(self, ticket: Ticket, now: float) -> float:
        """Return the seconds until a request may go; a pause that the call does not wait out is the guard's to refuse."""
        held = ticket.guard.state.held(now)
        return max(0.0, ticket.due - now, held if ticket.guard.waits_out(held) else 0.0)
