"""The door for Scrapy: every request of a crawl passes here, and one page is one call however often it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from weakref import WeakSet

from scrapy import signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Headers, Request, Response
from scrapy.responsetypes import responsetypes
from scrapy.utils.httpobj import urlparse_cached

from cinegraph_core.contracts import Answer, Call
from cinegraph_core.crawling.house import house_of
from cinegraph_core.crawling.services import CALL, Pacer, RequestServices
from cinegraph_core.errors import CancelledError, ServiceError, classify
from cinegraph_core.records import Provenance
from cinegraph_core.services.call import Again, Attempt, CallGuard, Done, Spared
from cinegraph_core.services.judging import CallError
from cinegraph_core.services.twins import also

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from cinegraph_core.application import Application

RECEIPT = "cinegraph_receipt"
"""Meta key of a response: the :class:`Receipt` the door gave for it."""
_TICKET = "cinegraph_ticket"
_RETRY_PRIORITY = 10
"""A call that has begun goes before calls that have not, because its deadline runs."""
_BREATH = 0.5
"""Seconds after which a waiting request looks whether the crawl still goes on."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The door's word that a response came through it; ``value`` is what ``call.read`` made of the answer.

    ``fetched_at`` is in seconds since the epoch; ``attempts`` counts the requests that left for it.
    """

    call: Call
    value: Any
    provenance: Provenance
    attempts: int
    fetched_at: float


@dataclass(eq=False)
class _Ticket:
    """A call under way, travelling in the meta of its request through retries and redirects.

    ``attempt`` is the one whose end is not known yet; ``due`` is when the next may begin and ``given_back`` when the request
    went back to Scrapy (monotonic seconds).
    """

    call: Call
    given_back: float
    due: float
    guard: CallGuard = field(init=False)
    attempt: Attempt | None = None
    sent: int = 0
    key: str | None = None
    path: str = ""
    url: str = ""

    def count(self) -> None:
        """Count a request that left."""
        self.sent += 1


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
        self._open: WeakSet[_Ticket] = WeakSet()
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
        if (url := self._of.effective(name, request.url)) != request.url:
            return request.replace(url=url, dont_filter=True)
        ticket: _Ticket | None = request.meta.get(_TICKET)
        if ticket is None:
            ticket = self._begin(request, name)
            if (kept := await self._recall(request, ticket)) is not None:
                return kept
        if ticket.attempt is not None:
            # The answer never came back here: a middleware between us and the network turned it into this request.
            self._give_back(ticket)
            ticket.guard.redirected(ticket.attempt)
            ticket.attempt = None
        await self._wait_for_turn(ticket, name)
        try:
            attempt = ticket.guard.attempt()
            await self._pause(attempt.wait)
            ticket.guard.leaving(attempt)
            while not ticket.guard.counted():
                await self._services.supply(name)
        except Spared as spared:
            return self._rebuilt(request, ticket, spared.done)
        except ServiceError as refusal:
            self._end(request, ticket)
            also(refusal, IgnoreRequest)
            raise
        ticket.attempt = attempt
        request.meta["download_timeout"] = attempt.timeout
        return None

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Judge an answer; raises the final error of a call that the spider began itself."""
        ticket: _Ticket | None = request.meta.get(_TICKET)
        if ticket is None or ticket.attempt is None:
            return response
        attempt, ticket.attempt = ticket.attempt, None
        if self._will_be_followed(request, response):
            ticket.guard.redirected(attempt)
            self._give_back(ticket)
            return response
        try:
            verdict = ticket.guard.answered(attempt, self._answer(ticket.call.service, response))
        except Spared as spared:
            return self._rebuilt(request, ticket, spared.done)
        except ServiceError:
            self._keep(request, ticket)
            self._end(request, ticket)
            if CALL in request.meta:
                raise
            return response
        except BaseException:
            self._end(request, ticket)
            raise
        if isinstance(verdict, Again):
            return self._again(request, ticket, verdict)
        self._keep(request, ticket)
        self._end(request, ticket)
        self._write_receipt(request, response, ticket, verdict)
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:
        """Judge a failure; raises the final :class:`ServiceError`."""
        ticket: _Ticket | None = request.meta.get(_TICKET)
        if ticket is None:
            return None
        attempt, ticket.attempt = ticket.attempt, None
        if isinstance(exception, IgnoreRequest) or attempt is None:
            self._abandon(ticket, exception, sent=attempt is not None)
            self._end(request, ticket)
            return None
        try:
            verdict = ticket.guard.failed(attempt, self._named_publicly(exception, request, ticket.call.service))
        except Spared as spared:
            return self._rebuilt(request, ticket, spared.done)
        except BaseException:
            self._end(request, ticket)
            raise
        return self._again(request, ticket, verdict)

    def _begin(self, request: Request, name: str) -> _Ticket:
        request.meta.pop(RECEIPT, None)
        if not self._of.is_adopted(name):
            request.meta["download_slot"] = name
        call = self._of.call_of(request)
        now = self._clock.monotonic()
        ticket = _Ticket(call, given_back=now, due=now)
        ticket.guard = self._services.begin(call, method=request.method, on_sent=ticket.count)
        request.meta[_TICKET] = ticket
        self._open.add(ticket)
        return ticket

    async def _recall(self, request: Request, ticket: _Ticket) -> Response | None:
        """Return a kept answer; lay by one that is too old, for the case that no other can be had."""
        cache = self._services.cache(ticket.call.service)
        if cache.policy.ttl <= 0 or ticket.call.fresh or request.method != "GET":
            return None
        url = urlparse_cached(request)
        headers = {name.decode("latin-1").lower(): str(request.headers[name] or b"", "latin-1") for name in request.headers}
        base = urlsplit(self._services.base_url(ticket.call.service)).path.rstrip("/")
        ticket.path = url.path.removeprefix(base)
        ticket.key = cache.key(ticket.path, url.query, headers)
        ticket.url = request.url
        entry = await cache.find(ticket.key) if ticket.key else None
        # To a foreign spider a 404 is a response, and it must come the way Scrapy's own middlewares expect.
        if entry is None or (entry.absent and not ticket.call.absent_ok):
            return None
        if cache.staleness(entry) < 0:
            done = ticket.guard.recalled(cache.served(entry))
            return None if done is None else self._rebuilt(request, ticket, done)
        if cache.staleness(entry) < cache.policy.on_error:
            ticket.guard.spare = cache.served(entry)
        return None

    def _keep(self, request: Request, ticket: _Ticket) -> None:
        """Keep what the call ended with, unless it came by a redirect: that is another page's answer."""
        proper = ticket.guard.proper
        if proper is not None and ticket.key is not None and ticket.url == request.url:
            self._services.cache(ticket.call.service).keep(ticket.key, ticket.path, proper.answer, absent=proper.absent)

    def _rebuilt(self, request: Request, ticket: _Ticket, done: Done) -> Response:
        """Return a kept answer as the response of this request."""
        answer = done.answer
        headers = Headers(dict(answer.headers))
        kind = responsetypes.from_args(headers=headers, url=request.url, body=answer.body)
        response = kind(request.url, status=answer.status, headers=headers, body=answer.body, flags=["cached"], request=request)
        self._end(request, ticket)
        self._write_receipt(request, response, ticket, done)
        return response

    async def _wait_for_turn(self, ticket: _Ticket, name: str) -> None:
        """Wait until the request is due and its service has a place; what is Scrapy's queue is not the call's time."""
        now = self._clock.monotonic()
        due = max(now, ticket.due)
        delay = self._services.spec(name).delay or 0.0
        await self._pause(due - now + self._pacer.reserve(name, delay, due))
        backoff = ticket.due - ticket.given_back
        ticket.guard.queued(self._clock.monotonic() - ticket.given_back - backoff)

    def _give_back(self, ticket: _Ticket, wait: float = 0.0) -> None:
        ticket.given_back = self._clock.monotonic()
        ticket.due = ticket.given_back + wait

    def _again(self, request: Request, ticket: _Ticket, verdict: Again) -> Request:
        self._give_back(ticket, verdict.wait)
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
        if response.status not in (301, 302, 303, 307, 308) or "Location" not in response.headers:
            return False
        if request.meta.get("dont_redirect") or request.meta.get("handle_httpstatus_all"):
            return False
        handled = [*request.meta.get("handle_httpstatus_list", ()), *getattr(self._crawler.spider, "handle_httpstatus_list", ())]
        return response.status not in handled and request.meta.get("redirect_times", 0) < self._redirects

    def _named_publicly(self, exception: Exception, request: Request, service: str) -> CallError:
        """Return the error with the public address where Scrapy's words name the one really asked."""
        error = classify(exception, service=service)
        error.args = (str(error).replace(request.url, self._services.public(service, request.url)),)
        return error

    def _answer(self, service: str, response: Response) -> Answer:
        headers = {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in response.headers.items()
        }
        return Answer(response.status, headers, response.body, self._services.public(service, response.url))

    def _write_receipt(self, request: Request, response: Response, ticket: _Ticket, done: Done) -> None:
        request.meta[RECEIPT] = Receipt(
            call=ticket.call,
            value=done.value,
            provenance=done.answer.provenance or self._services.provenance(ticket.call.service),
            attempts=ticket.sent,
            fetched_at=done.answer.fetched_at or self._clock.now(),
        )
        if CALL in request.meta:
            # What the door calls a proper answer, Scrapy's HttpError must not refuse.
            request.meta["handle_httpstatus_list"] = [response.status]

    def _end(self, request: Request, ticket: _Ticket) -> None:
        request.meta.pop(_TICKET, None)
        self._open.discard(ticket)

    def _abandon(self, ticket: _Ticket, reason: BaseException, *, sent: bool) -> None:
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
            self._abandon(ticket, CancelledError("the crawl closed before the next attempt"), sent=ticket.attempt is not None)
        self._open.clear()
