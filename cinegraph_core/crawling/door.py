"""The door for Scrapy: every request of a crawl passes here, and one page is one call however often it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from scrapy import signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response
from scrapy.utils.httpobj import urlparse_cached

from cinegraph_core.contracts import Answer
from cinegraph_core.crawling.answers import answer_of, is_redirect, response_of
from cinegraph_core.crawling.house import house_of
from cinegraph_core.crawling.kept import KeptPages
from cinegraph_core.crawling.services import CALL, Pacer, RequestServices
from cinegraph_core.crawling.tickets import RECEIPT, TICKET, Receipt, Ticket
from cinegraph_core.errors import CancelledError, ServiceError, classify
from cinegraph_core.services.judging import CallError
from cinegraph_core.services.twins import also
from cinegraph_core.services.verdicts import Again, Done, Elsewhere, Spared

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from cinegraph_core.application import Application

_RETRY_PRIORITY = 10
"""A call that has begun goes before calls that have not, because its deadline runs."""
_BREATH = 0.5
"""Seconds after which a waiting request looks whether the crawl still goes on."""


class DoorMiddleware:
    """Takes each request through :meth:`Services.begin`: breaker, rate, timeout, retries, deadline and the record.

    It stands between the redirects (nearer to the engine) and decompression (nearer to the network), so that it sees every
    status and a readable body. A request with a :class:`Call` of its own in ``meta["cinegraph_call"]`` ends in its callback
    with a :class:`Receipt` or in its errback with a :class:`ServiceError` or :class:`PageError`; other requests keep
    Scrapy's manners: a final 404 or 503 reaches their callback as Scrapy's own middlewares allow.
    """

    def __init__(self, crawler: Crawler, application: Application) -> None:
        self._crawler = crawler
        self._services = application.services
        self._clock = application.clock
        self._of = RequestServices(application)
        self._pacer = Pacer()
        self._kept = KeptPages(crawler, self._services)
        self._open: WeakSet[Ticket] = WeakSet()
        self._redirects = crawler.settings.getint("REDIRECT_MAX_TIMES") if crawler.settings.getbool("REDIRECT_ENABLED") else 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build it for a crawl whose addon has opened the application."""
        door = cls(crawler, house_of(crawler).application)
        crawler.signals.connect(door._close, signal=signals.spider_closed)
        return door

    async def process_request(self, request: Request) -> Request | Response | None:
        """Begin or go on with the request's call; raises the :class:`ServiceError` that refuses it, an IgnoreRequest too."""
        if urlparse_cached(request).scheme not in ("http", "https"):
            return None
        name = self._of.name_of(request)
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is None:
            if (url := self._of.effective(name, request.url)) != request.url:
                return request.replace(url=url, dont_filter=True)
            ticket = self._begin(request, name)
            if (kept := await self._kept.recall(request, ticket, name)) is not None:
                return self._rebuilt(request, ticket, kept)
        if (url := await self._address(request, ticket, name)) != request.url:
            return request.replace(url=url, dont_filter=True)
        if ticket.attempt is not None:
            # The answer never came back here: a middleware between us and the network turned it into this request.
            ticket.give_back(self._clock.monotonic())
            ticket.guard.redirected(ticket.attempt)
            ticket.attempt = None
        await self._wait_for_turn(ticket, name)
        try:
            ticket.attempt = await self._services.admit(ticket.guard, self._pause)
        except (Spared, Elsewhere) as turn:
            return self._turned(request, ticket, turn)
        except ServiceError as refusal:
            self._end(request, ticket, refusal)
            also(refusal, IgnoreRequest)
            raise
        request.meta["download_timeout"] = ticket.attempt.timeout
        return None

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Judge an answer; raises the final error of a call that the spider began itself."""
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is None or ticket.attempt is None:
            return response
        attempt, ticket.attempt = ticket.attempt, None
        if self._will_be_followed(request, response):
            ticket.guard.redirected(attempt)
            ticket.give_back(self._clock.monotonic())
            return response
        url = self._services.public(ticket.call.service, response.url)
        try:
            verdict = ticket.guard.answered(attempt, answer_of(response, url, ticket.guard.state.mark))
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
            return self._again(request, ticket, verdict)
        self._end(request, ticket)
        self._write_receipt(request, response, ticket, verdict)
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:
        """Judge a failure; raises the final :class:`ServiceError`."""
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is None:
            return None
        attempt, ticket.attempt = ticket.attempt, None
        if isinstance(exception, IgnoreRequest) or attempt is None:
            self._abandon(ticket, exception, sent=attempt is not None)
            self._end(request, ticket)
            return None
        try:
            verdict = ticket.guard.failed(attempt, self._named_publicly(exception, request, ticket.call.service))
        except (Spared, Elsewhere) as turn:
            return self._turned(request, ticket, turn)
        except BaseException as error:
            self._end(request, ticket, error)
            raise
        return self._again(request, ticket, verdict)

    def _begin(self, request: Request, name: str) -> Ticket:
        request.meta.pop(RECEIPT, None)
        if not self._of.is_adopted(name):
            request.meta["download_slot"] = name
        call = self._of.call_of(request, name)
        now = self._clock.monotonic()
        ticket = Ticket(call, given_back=now, due=now)
        ticket.guard = self._services.begin(call, method=request.method)
        request.meta[TICKET] = ticket
        self._open.add(ticket)
        return ticket

    async def _address(self, request: Request, ticket: Ticket, name: str) -> str:
        """Return where a request of a call really goes: to the side that is asked now."""
        elsewhere = ticket.guard.state.elsewhere
        if elsewhere is None or name != ticket.call.service:
            return self._of.effective(name, request.url)
        await self._services.at_hand(ticket.guard)
        try:
            return elsewhere(request.url)
        except ValueError:  # a redirect led out of the service
            return request.url

    def _rebuilt(self, request: Request, ticket: Ticket, done: Done) -> Response:
        """Return a kept answer as the response of this request."""
        response = response_of(done.answer, request)
        self._end(request, ticket, done.answer)
        self._write_receipt(request, response, ticket, done)
        return response

    def _turned(self, request: Request, ticket: Ticket, turn: Spared | Elsewhere) -> Request | Response:
        """Return the stale answer the call ended with, or the request that goes on at the replica."""
        if isinstance(turn, Spared):
            return self._rebuilt(request, ticket, turn.done)
        return self._again(request, ticket, Again(0.0))

    async def _wait_for_turn(self, ticket: Ticket, name: str) -> None:
        """Wait until the request is due and its service has a place; time in Scrapy's queue is not the call's."""
        now, ticket.is_queued = self._clock.monotonic(), False
        due = max(now, ticket.due)
        delay = ticket.guard.state.spec.delay or 0.0
        await self._pause(due - now + self._pacer.reserve(name, delay, due))
        backoff = ticket.due - ticket.given_back
        ticket.guard.queued(self._clock.monotonic() - ticket.given_back - backoff)

    def _again(self, request: Request, ticket: Ticket, verdict: Again) -> Request:
        ticket.give_back(self._clock.monotonic(), verdict.wait)
        return request.replace(dont_filter=True, priority=request.priority + _RETRY_PRIORITY)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the crawl goes on; raises :class:`IgnoreRequest` when it ends."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if not self._crawler.crawling:
                raise IgnoreRequest("the crawl is closing")
            await self._clock.sleep(min(left, _BREATH))

    def _will_be_followed(self, request: Request, response: Response) -> bool:
        """Return whether Scrapy's RedirectMiddleware is going to follow this answer."""
        if not is_redirect(response) or request.meta.get("dont_redirect") or request.meta.get("handle_httpstatus_all"):
            return False
        handled = [*request.meta.get("handle_httpstatus_list", ()), *getattr(self._crawler.spider, "handle_httpstatus_list", ())]
        return response.status not in handled and request.meta.get("redirect_times", 0) < self._redirects

    def _named_publicly(self, exception: Exception, request: Request, service: str) -> CallError:
        """Return the error with the public address in place of the one really asked, which Scrapy's words name."""
        error = classify(exception, service=service)
        error.args = (str(error).replace(request.url, self._services.public(service, request.url)),)
        return error

    def _write_receipt(self, request: Request, response: Response, ticket: Ticket, done: Done) -> None:
        request.meta[RECEIPT] = Receipt(
            call=ticket.call,
            value=done.value,
            provenance=done.answer.provenance or "live",
            attempts=ticket.guard.sent,
            fetched_at=done.answer.fetched_at or self._clock.now(),
        )
        if CALL in request.meta:
            # Scrapy's HttpError must not refuse what the door calls a proper answer.
            request.meta["handle_httpstatus_list"] = [response.status]

    def _end(self, request: Request, ticket: Ticket, outcome: Answer | BaseException | None = None) -> None:
        self._kept.land(request, ticket, outcome)
        request.meta.pop(TICKET, None)
        self._open.discard(ticket)

    def _abandon(self, ticket: Ticket, reason: BaseException, *, sent: bool) -> None:
        """End a call given up from outside; one that was never tried says nothing of its service and leaves no row."""
        if not (sent or ticket.guard.tried):
            ticket.guard.forget()
            return
        error = classify(reason)
        if isinstance(error, ServiceError):
            error.sent = sent
        ticket.guard.abandon(error)

    def _close(self) -> None:
        """End the calls whose next attempt the closing crawl will not make."""
        for ticket in list(self._open):
            self._kept.give_up(ticket)
            self._abandon(ticket, CancelledError("the crawl closed before the next attempt"), sent=ticket.attempt is not None)
        self._open.clear()
