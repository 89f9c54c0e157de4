"""Pages of a crawl and the cache: the same answers as those of every other client, under the same keys.

A page that is asked for twice at once is fetched once, and one that has just grown too old is fetched anew beside the crawl.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakValueDictionary, finalize

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Request
from scrapy.http.request import NO_CALLBACK

from cinegraph_core.crawling.answers import headers_of
from cinegraph_core.crawling.services import CALL
from cinegraph_core.crawling.tickets import RECEIPT, TICKET, Ticket
from cinegraph_core.crawling.turns import BREATH, check_open
from cinegraph_core.errors import PageError, ServiceError
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.flights import Flight
from cinegraph_core.services.recall import hand_over, heard_in, keep, recalled_from
from cinegraph_core.services.verdicts import Done, Elsewhere, Spared

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from cinegraph_core.contracts import Answer
    from cinegraph_core.services import Services

_RENEWAL = "cinegraph_renewal"
"""Meta key of a request that renews a kept page: the flight of all who wait for it."""

log = logging.getLogger(__name__)


class KeptPages:
    """The cache as one crawl uses it."""

    def __init__(self, crawler: Crawler, services: Services) -> None:
        self._crawler = crawler
        self._services = services
        self._leaders: WeakValueDictionary[Flight, Ticket] = WeakValueDictionary()
        self._renewals: set[asyncio.Task[None]] = set()

    async def recall(self, request: Request, ticket: Ticket, name: str) -> Done | None:
        """End the call with a kept answer or with that of another request under way; ``None`` if it has to be asked for.

        One that is too old is kept aside in case no other can be had. Raises the error of the request that was waited
        for, which is then this call's too, and :class:`IgnoreRequest` if the crawl closes meanwhile.
        """
        cache = ticket.cache = ticket.guard.state.cache
        if request.body or not cache.takes(request.method) or self._gets_cookies(request):
            return None
        url = urlsplit(request.url)
        ticket.path = url.path.removeprefix(urlsplit(self._services.base_url(name)).path.rstrip("/"))
        ticket.key = cache.key(ticket.path, url.query, headers_of(request))
        ticket.url = request.url
        if ticket.key is None:
            return None
        if ticket.call.fresh:
            # Its page takes the place of a kept one; where none is, nobody wants any.
            ticket.key = ticket.key if await cache.find(ticket.key) is not None else None
            return None
        if (flight := request.meta.pop(_RENEWAL, None)) is not None:
            ticket.guard.steer(None)  # nobody waits for it, and a replica's answer is not kept
            self._lead(ticket, flight)
            return None
        return await self._recalled(request, ticket, cache, ticket.key)

    def land(self, request: Request, ticket: Ticket, outcome: Answer | BaseException | None) -> None:
        """Keep what the call ended with and hand it to all who wait, for each to judge.

        An answer that came by a redirect is another page's, one to headers that were added nearer to the network (a
        session's cookie, a key) is perhaps nobody else's, and one known to be cut is no page: those who wait must ask for
        themselves.
        """
        cache, key = ticket.cache, ticket.key
        if ticket.is_cut:
            outcome = None
        elif ticket.url == request.url and key is not None and cache is not None:
            if cache.key(ticket.path, urlsplit(request.url).query, headers_of(request)) == key:
                outcome = keep(cache, key, ticket.path, ticket.guard) or heard_in(ticket.guard, outcome)
            else:
                outcome = None
        self.give_up(ticket, outcome)

    @staticmethod
    def give_up(ticket: Ticket, outcome: Answer | BaseException | None = None) -> None:
        """End the flight, if the call led one; without an outcome, those who wait must ask for themselves."""
        flight, ticket.flight = ticket.flight, None
        if flight is not None and ticket.cache is not None:
            hand_over(ticket.cache, flight, outcome)

    def _gets_cookies(self, request: Request) -> bool:
        """Tell whether Scrapy is going to add cookies to a request, which it does nearer to the network."""
        cookies = self._crawler.get_downloader_middleware(CookiesMiddleware)
        if cookies is None or request.meta.get("dont_merge_cookies"):
            return False
        jar = cookies.jars.get(request.meta.get("cookiejar"))
        if jar is None or request.cookies:
            return bool(request.cookies)
        bare = Request(request.url)
        jar.add_cookie_header(bare)
        return "Cookie" in bare.headers

    async def _recalled(self, request: Request, ticket: Ticket, cache: ServiceCache, key: str) -> Done | None:
        while True:
            entry = await cache.find(key)
            # To a foreign spider a 404 is a response, which must come the way Scrapy's own middlewares expect.
            if entry is not None and (ticket.call.absent_ok or not entry.absent):
                done = recalled_from(cache, entry, ticket.guard, partial(self._renew, request, cache, key))
                if done is not None:
                    return done
            flight, leading = cache.board(key + ticket.guard.company)
            if leading:
                self._lead(ticket, flight)
                return None
            try:
                if not await self._lands(flight):
                    return None
                landed = await flight.wait()
            except (ServiceError, PageError) as error:
                if CALL not in request.meta:
                    return None  # a foreign spider wants the response, not our error
                return self._shares(ticket, error)
            if landed is not None:
                return self._told(request, ticket, cache.shared(landed))

    @staticmethod
    def _shares(ticket: Ticket, error: ServiceError | PageError) -> Done:
        try:
            raise ticket.guard.shares(error) from error.__cause__
        except Spared as spared:
            return spared.done

    @staticmethod
    def _told(request: Request, ticket: Ticket, answer: Answer) -> Done | None:
        if CALL not in request.meta:
            return ticket.guard.recalled(answer)  # an error must come as a response of its own
        try:
            return ticket.guard.told(answer)
        except Spared as spared:
            return spared.done
        except Elsewhere:
            return None

    def _lead(self, ticket: Ticket, flight: Flight) -> None:
        ticket.flight = flight
        self._leaders[flight] = ticket
        # Whatever other middlewares do to the request, nobody waits for it for ever.
        finalize(ticket, hand_over, ticket.guard.state.cache, flight, None).atexit = False

    async def _lands(self, flight: Flight) -> bool:
        """Wait for another request; ``False`` if Scrapy has no place for it, because we wait or because the crawl closes."""
        landing = asyncio.ensure_future(flight.settled())
        try:
            while not (await asyncio.wait({landing}, timeout=BREATH))[0]:
                check_open(self._crawler)
                leader = self._leaders.get(flight)
                if leader is not None and leader.is_queued and self._crawler.engine.needs_backout():
                    return False
        finally:
            landing.cancel()
        return True

    def _renew(self, request: Request, cache: ServiceCache, key: str) -> None:
        """Fetch a page anew beside the crawl, unless somebody is at it."""
        flight, leading = cache.board(key, joins=False)
        if not leading:
            return
        meta = {name: value for name, value in request.meta.items() if name not in (TICKET, RECEIPT)}
        meta[_RENEWAL] = flight
        renewal = request.replace(callback=NO_CALLBACK, errback=None, cb_kwargs={}, meta=meta, dont_filter=True)
        task = asyncio.ensure_future(self._fetch(renewal, cache, flight))
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    async def _fetch(self, renewal: Request, cache: ServiceCache, flight: Flight) -> None:
        try:
            await self._crawler.engine.download_async(renewal)
        except Exception as error:  # noqa: BLE001 - the page that was served stands, whatever befell the new one
            log.info("%s could not be renewed: %s", renewal.url, error)
        finally:
            hand_over(cache, flight, None)
