"""The door for Scrapy: every request of a crawl passes here, and one page is one call however often it is sent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from scrapy import signals
from scrapy.exceptions import IgnoreRequest, StopDownload
from scrapy.http import Request, Response
from scrapy.utils.misc import load_object

from cinegraph_core.contracts import Answer
from cinegraph_core.crawling.answers import Redirects, Retries, response_of
from cinegraph_core.crawling.endings import error_for, leave, write_receipt
from cinegraph_core.crawling.house import house_of
from cinegraph_core.crawling.kept import KeptPages
from cinegraph_core.crawling.services import CALL, RequestServices, is_led
from cinegraph_core.crawling.tickets import RECEIPT, TICKET, ClosingError, HeldBackError, Ticket
from cinegraph_core.crawling.turns import Turns
from cinegraph_core.errors import CancelledError, PageError, ServiceError
from cinegraph_core.resilience.retry import MAX_WAIT
from cinegraph_core.services.twins import also
from cinegraph_core.services.verdicts import Again, Attempt, Done, Elsewhere, Spared

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from cinegraph_core.application import Application

_RETRY_PRIORITY = 10
"""A call that has begun goes before calls that have not, because its deadline runs."""
_SLOT = "download_slot"
"""Meta key of Scrapy's: the queue of the downloader in which a request waits."""

log = logging.getLogger(__name__)


class DoorMiddleware:
    """Takes each request through :meth:`Services.begin`: breaker, rate, timeout, retries, deadline and the record.

    It stands between the redirects (nearer to the engine) and decompression (nearer to the network), so that it sees every
    status and a readable body. A request with a :class:`Call` of its own in ``meta["cinegraph_call"]`` ends in its callback
    with a :class:`Receipt` or in its errback with a :class:`ServiceError` or :class:`PageError`; other requests keep
    Scrapy's manners: a final 404 or 503 reaches their callback as Scrapy's own middlewares allow.
    """

    def __init__(self, crawler: Crawler, application: Application) -> None:
        self._services = application.services
        self._clock = application.clock
        self._of = RequestServices(application, crawler.settings)
        self._turns = Turns(crawler, application.clock)
        self._kept = KeptPages(crawler, self._services)
        self._open: WeakSet[Ticket] = WeakSet()
        self._redirects = Redirects(crawler)
        self._retries = Retries(crawler.settings)
        self._is_told = hasattr(load_object(crawler.settings["DOWNLOADER"]), "tells_departures")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build it for a crawl whose addon has opened the application."""
        door = cls(crawler, house_of(crawler).application)
        crawler.signals.connect(door._close, signal=signals.spider_closed)
        crawler.signals.connect(door._drop, signal=signals.request_dropped)
        return door

    async def process_request(self, request: Request) -> Request | Response | None:
        """Begin or go on with the request's call; raises the :class:`ServiceError` that refuses it, an IgnoreRequest too."""
        if not is_led(request):
            return None
        name = self._of.name_of(request)
        ticket = self._ticket_for(request, name)
        if ticket is None:
            if (url := self._of.effective(name, request.url)) != request.url:
                return request.replace(url=url, dont_filter=True)
            ticket = self._begin(request, name)
            if ticket.guard.state.provenance != "live":
                request.meta.setdefault("proxy", None)  # a replica is on this very machine
            if (kept := await self._kept.recall(request, ticket, name)) is not None:
                return self._rebuilt(request, ticket, kept)
        if (url := await self._of.address(ticket.guard, name, request.url)) != request.url:
            return request.replace(url=url, dont_filter=True)
        return await self._admit(request, ticket, name)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Judge an answer; raises the final error of a call that the spider began itself."""
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is None or ticket.attempt is None:
            return response
        if not self._is_told:
            ticket.has_left = "cached" not in response.flags
        if self._redirects.follow(request, response):
            ticket.goes_on(self._clock.monotonic(), redirected=True)
            request.meta["download_timeout"] = ticket.own_timeout
            return response
        try:
            verdict = ticket.judged(response, self._services.public(ticket.call.service, response.url))
        except (Spared, Elsewhere) as turn:
            return self._turned(request, ticket, turn)
        except ServiceError as error:
            self._end(request, ticket, error)
            if CALL in request.meta:
                raise
            return response
        except BaseException as error:
            self._end(request, ticket, error)
            raise
        if isinstance(verdict, Again):
            ticket.response = None if CALL in request.meta else response
            return self._again(request, ticket, verdict)
        self._end(request, ticket)
        write_receipt(request, response, ticket, verdict, self._clock.now())
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:
        """Judge a failure; raises the final :class:`ServiceError` of a call that the spider began itself.

        To any other request the middlewares of its project may yet find an answer; :class:`DoorDownloader` raises its error.
        """
        if isinstance(exception, ClosingError) and (home := self._turns.home(request)) is not None:
            return home
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is None:
            return None
        if isinstance(exception, HeldBackError):
            ticket.attempt = None
            ticket.guard.withdrawn()
            return self._again(request, ticket, Again(0.0))
        if isinstance(exception, IgnoreRequest | StopDownload) or ticket.attempt is None or not ticket.has_left:
            self.give_up(request, ticket, exception)
            return None
        return self._failed(request, ticket, ticket.attempt, exception)

    def fetched(self, request: Request, ticket: Ticket, result: Request | Response) -> None:
        """Hear what came of a request whose call has not ended: it goes on with a request that carries its ticket."""
        if not isinstance(result, Request) or result.meta.get(TICKET) is not ticket:
            self.give_up(request, ticket, CancelledError("another middleware put something else in the request's place"))
        elif ticket.attempt is not None:
            ticket.goes_on(self._clock.monotonic(), redirected=False)

    def give_up(self, request: Request, ticket: Ticket, reason: BaseException) -> None:
        """End a call that nobody goes on with."""
        ticket.abandon(reason)
        self._end(request, ticket)

    def _failed(self, request: Request, ticket: Ticket, attempt: Attempt, exception: Exception) -> Request | Response | None:
        ticket.attempt = ticket.response = None
        service = ticket.call.service
        error = error_for(request, exception, service, self._services.public(service, request.url))
        try:
            verdict = ticket.guard.failed(attempt, error)
        except (Spared, Elsewhere) as turn:
            return self._turned(request, ticket, turn)
        except (ServiceError, PageError) as final:
            self._end(request, ticket, final)
            leave(final, request, exception)
            return None
        return self._again(request, ticket, verdict)

    def _ticket_for(self, request: Request, name: str) -> Ticket | None:
        """Return the ticket of a request's call, if it has begun; one that a redirect led to another service begins anew."""
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is None or ticket.guard.ended:  # the very object of a request that was retried, or given up, comes again
            return None
        if ticket.attempt is not None:
            # No answer came back here: a middleware between us and the network turned it, or the request, into this one.
            ticket.goes_on(self._clock.monotonic(), redirected=False)
        if ticket.call.service == name:
            return ticket
        ticket.guard.moved_on()
        self._end(request, ticket)
        request.meta.pop(_SLOT, None)
        return None

    def _begin(self, request: Request, name: str) -> Ticket:
        request.meta.pop(RECEIPT, None)
        if not self._of.is_adopted(name):
            request.meta[_SLOT] = name
        call = self._retries.led(self._of.call_of(request, name), request)
        now = self._clock.monotonic()
        ticket = Ticket(call, given_back=now, due=now, own_timeout=request.meta.get("download_timeout"))
        ticket.guard = self._services.begin(call, method=request.method)
        ticket.guard.patience = self._turns.patience
        ticket.guard.is_repeated = call.may_be_repeated(request.method)
        if most := self._retries.most(request):
            ticket.guard.repeat_at_most(most)
        request.meta[TICKET] = ticket
        self._open.add(ticket)
        return ticket

    async def _admit(self, request: Request, ticket: Ticket, name: str) -> Request | Response | None:
        """Let the request go as soon as it may; raises the refusal that ends its call."""
        if not await self._turns.comes(ticket, name):
            return self._turns.behind(request, ticket)
        try:
            ticket.attempt = await self._services.admit(ticket.guard, self._turns.pause)
        except (Spared, Elsewhere) as turn:
            return self._turned(request, ticket, turn)
        except ServiceError as refusal:
            self._end(request, ticket, refusal)
            if ticket.response is not None:
                return ticket.response
            raise also(refusal, IgnoreRequest)  # noqa: B904 - it is the refusal itself
        ticket.has_left = not self._is_told
        request.meta["download_timeout"] = min(ticket.attempt.timeout, self._of.chosen_timeout(ticket.own_timeout))
        return None

    def _rebuilt(self, request: Request, ticket: Ticket, done: Done) -> Response:
        """Return a kept answer as the response of this request."""
        response = response_of(done.answer, request)
        self._end(request, ticket, done.answer)
        write_receipt(request, response, ticket, done, self._clock.now())
        return response

    def _turned(self, request: Request, ticket: Ticket, turn: Spared | Elsewhere) -> Request | Response:
        """Return the stale answer the call ended with, or the request that goes on at the replica."""
        if isinstance(turn, Spared):
            return self._rebuilt(request, ticket, turn.done)
        return self._again(request, ticket, Again(0.0))

    def _again(self, request: Request, ticket: Ticket, verdict: Again) -> Request:
        if verdict.wait > MAX_WAIT:
            log.warning("%s asks for a pause of %.0f s; its pages wait", ticket.call.service, verdict.wait)
        ticket.give_back(self._clock.monotonic(), verdict.wait)
        request.meta["download_timeout"] = ticket.own_timeout
        return request.replace(dont_filter=True, priority=request.priority + _RETRY_PRIORITY)

    def _end(self, request: Request, ticket: Ticket, outcome: Answer | BaseException | None = None) -> None:
        self._kept.land(request, ticket, outcome)
        request.meta.pop(TICKET, None)
        request.meta["download_timeout"] = ticket.own_timeout
        self._open.discard(ticket)
        ticket.ended()

    def _drop(self, request: Request) -> None:
        """End the call of a redirect that is not followed, because its page has been asked for already."""
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is not None:
            ticket.guard.moved_on()
            self._end(request, ticket)

    def _close(self) -> None:
        """End the calls whose next attempt the closing crawl will not make."""
        for ticket in list(self._open):
            self._kept.give_up(ticket)
            ticket.ended()
            ticket.abandon(CancelledError("the crawl closed before the next attempt"))
        self._open.clear()
