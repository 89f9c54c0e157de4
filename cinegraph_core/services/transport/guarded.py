"""The transport that leads every request of an ``httpx.AsyncClient`` through the door."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
import msgspec

from cinegraph_core.contracts import Answer, Call
from cinegraph_core.errors import CancelledError, ConfigurationError, PageError, ServiceError, classify
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.flights import Flight
from cinegraph_core.services.recall import Recall
from cinegraph_core.services.service_client import CALL, ON_SENT
from cinegraph_core.services.state import ServiceState
from cinegraph_core.services.timing import bounded
from cinegraph_core.services.transport.lanes import Lanes, Sending
from cinegraph_core.services.transport.proxies import proxy_to
from cinegraph_core.services.transport.responses import as_httpx, conceal, read_whole, rebuilt
from cinegraph_core.services.verdicts import Again, Attempt, Done, Elsewhere, Spared

if TYPE_CHECKING:
    from cinegraph_core.services.door import Services

log = logging.getLogger(__name__)

_SPENT = "cinegraph_spent"
"""Extension of a request that was redirected: its id, and the seconds of the deadline that are gone.

httpx hands the extensions of a request on to the one that follows; by the id, the same request sent again is none.
"""


class GuardedTransport(httpx.AsyncBaseTransport):
    """Leads every request of one service through its :class:`CallGuard`.

    Returns a response whose body is read; raises the :class:`ServiceError` or :class:`PageError` the call ends with, the
    former as an exception of httpx too.
    """

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._lanes: dict[tuple[str, str, int | None], Lanes] = {}
        self._prefix = httpx.URL(services.base_url(name)).raw_path.decode("ascii").rstrip("/")
        self._refreshing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its call is done."""
        guard = self._services.begin(self._call_of(request), method=request.method, on_sent=request.extensions.get(ON_SENT))
        before = request.extensions.get(_SPENT)
        if before is not None and before[0] != id(request):
            guard.follows(before[1])
        try:
            recall = self._recall(guard, request)
            response = await (self._lead(guard, request) if recall is None else recall.lead(guard))
        except Spared as spared:
            return rebuilt(request, spared.done)
        except BaseException as error:
            if not guard.ended:
                guard.abandon(_marked(classify(error), left=False))
            if isinstance(error, ServiceError):
                heard = guard.refused_by
                as_httpx(error, request, None if heard is None else rebuilt(request, Done(None, heard)))
            raise
        if response.status_code >= 300:
            request.extensions[_SPENT] = id(request), guard.spent()
        return response

    async def aclose(self) -> None:
        """Close the connections, once what is fetched in the background is there."""
        try:
            await self.settled()
        finally:
            for lanes in self._lanes.values():
                await lanes.aclose()

    async def settled(self) -> None:
        """Wait until what is fetched in the background is there, for which each call has its deadline.

        Where the waiting task is cancelled, be it meanwhile or before, nobody waits: what is fetched is given up.
        """
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            for renewal in self._refreshing:
                renewal.cancel()
        await asyncio.gather(*self._refreshing, return_exceptions=True)

    def _recall(self, guard: CallGuard, request: httpx.Request) -> Recall[httpx.Response] | None:
        """Return the way past the cache, ``None`` for a request whose answer is not to be kept."""
        call, cache = guard.call, guard.state.cache
        if not cache.takes(request.method):
            return None
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        path = path.removeprefix(self._prefix)
        key = cache.key(path, query, request.headers)
        if key is None:
            return None
        return Recall(
            cache,
            key,
            path,
            ask=lambda guard: self._lead(guard, request),
            rebuild=partial(rebuilt, request),
            refresh=lambda: self._refresh(call, request, key),
        )

    def _refresh(self, call: Call, request: httpx.Request, key: str) -> None:
        """Fetch an answer anew for the next caller, unless somebody is at it."""
        guard = self._services.begin(call, method=request.method)
        guard.steer(None)  # nobody waits for it, and a replica's answer is not kept
        flight, leading = guard.state.cache.board(key + guard.company, joins=False)
        recall = self._recall(guard, request)
        if not leading or recall is None:
            guard.forget()
            return
        task = asyncio.ensure_future(self._renew(recall, flight, guard))
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _renew(self, recall: Recall[httpx.Response], flight: Flight, guard: CallGuard) -> None:
        try:
            await recall.fly(guard, flight)
        except (ServiceError, PageError) as error:
            log.info("%s could not be renewed: %s", recall.path, error)
        finally:
            guard.abandon(CancelledError("the client was closed"))

    def _call_of(self, request: httpx.Request) -> Call:
        call = request.extensions.get(CALL) or Call(self._name, "request", request.url.path)
        if not isinstance(call, Call) or call.service != self._name:
            raise ConfigurationError(f"a request to {self._name} carries the call {call!r}; a call names the service it goes to")
        base = httpx.URL(self._services.base_url(self._name))
        if (request.url.scheme, request.url.host, request.url.port) != (base.scheme, base.host, base.port):
            error = ConfigurationError(
                f"the client of {self._name} was asked for {request.url.host}; give it a path, or a URL made by services.join()"
            )
            as_httpx(error, request)  # it may be where a redirect leads that httpx follows
            raise error
        if not isinstance(request.stream, httpx.ByteStream):  # a body that is read while it is sent is not there again
            return msgspec.structs.replace(call, retry=False)
        return call

    async def _lead(self, guard: CallGuard, request: httpx.Request) -> httpx.Response:
        clock = self._services.clock
        began = clock.monotonic()
        if guard.state.elsewhere is not None:
            await self._services.at_hand(guard)
        while True:
            try:
                attempt = await self._services.admit(guard)
                outcome = await self._try(guard, attempt, request)
            except Elsewhere:
                await self._services.at_hand(guard)
                continue
            if not isinstance(outcome, Again):
                outcome.elapsed = timedelta(seconds=clock.monotonic() - began)
                return outcome
            await clock.sleep(outcome.wait)

    async def _try(self, guard: CallGuard, attempt: Attempt, request: httpx.Request) -> httpx.Response | Again:
        """Send the request once; return the response the call ends with, or the wait before the next attempt."""
        sending = Sending(discreet=guard.state.redact.masks)
        try:
            with bounded(self._services.clock, attempt.timeout):
                response = await self._fetch(self._inner_request(guard.state, request, sending))
        except asyncio.CancelledError as error:
            # Who is given up between the write and the word that it is done has been heard by the service.
            guard.abandon(_marked(classify(error), left=sending.begun))
            raise
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is classified
            failure = _marked(classify(error, service=self._name), left=sending.left)
        else:
            if guard.state.redact.masks:
                conceal(response, guard.state.redact)
            try:
                verdict = guard.answered(attempt, self._answer(guard.state, request, response))
            except ServiceError as error:
                as_httpx(error, request, response)
                raise
            response.extensions[CALL] = verdict
            return response if isinstance(verdict, Done) else verdict
        return guard.failed(attempt, failure)

    async def _fetch(self, request: httpx.Request) -> httpx.Response:
        async with self._lanes_to(request.url).lane() as lane:
            response = await lane.handle_async_request(request)
            await read_whole(response)
        return response

    def _lanes_to(self, url: httpx.URL) -> Lanes:
        address = url.scheme, url.host, url.port
        if address not in self._lanes:
            self._lanes[address] = Lanes(proxy_to(url))
        return self._lanes[address]

    def _inner_request(self, state: ServiceState, request: httpx.Request, sending: Sending) -> httpx.Request:
        credentials, url = state.credentials, request.url
        headers = request.headers.copy()
        headers.update(credentials.headers)
        if state.elsewhere is not None:
            url = httpx.URL(state.elsewhere(str(url)))
            headers["Host"] = url.netloc.decode("ascii")
        return httpx.Request(
            request.method,
            url.copy_merge_params(credentials.params) if credentials.params else url,
            headers=headers,
            stream=request.stream,
            extensions={**request.extensions, "trace": sending},
        )

    def _answer(self, state: ServiceState, request: httpx.Request, response: httpx.Response) -> Answer:
        public = self._services.public(self._name, str(request.url))
        return Answer(response.status_code, dict(response.headers), response.content, public, state.mark)


def _marked(error: ServiceError | PageError, *, left: bool) -> ServiceError | PageError:
    if isinstance(error, ServiceError):
        error.sent = left
    return error
