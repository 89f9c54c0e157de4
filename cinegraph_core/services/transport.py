"""The door for httpx: the only module that imports it, so that another client library is one file away.

A request's ``extensions["cinegraph"]`` may hold its :class:`~cinegraph_core.contracts.Call`; without one the request is a
call of its own with operation ``request``. Credentials are added to the inner request only: neither the caller's request
and response nor httpx's own log ever hold them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import httpx
from httpx import AsyncClient, Client

from cinegraph_core.contracts import Answer, Call, Clock
from cinegraph_core.errors import (
    CancelledError,
    ConfigurationError,
    InvalidResponseError,
    NetworkError,
    PageError,
    ServiceError,
    ServiceTimeoutError,
    classify,
)
from cinegraph_core.records import Provenance
from cinegraph_core.services.cache import Flight
from cinegraph_core.services.call import Again, Attempt, CallGuard, Done, Spared
from cinegraph_core.services.portal import Portal
from cinegraph_core.services.recall import Recall
from cinegraph_core.services.timing import bounded
from cinegraph_core.services.twins import also

if TYPE_CHECKING:
    from cinegraph_core.services.door import Services

__all__ = ["AsyncClient", "Client", "GuardedTransport", "HttpServiceClient", "blocking_client", "guarded_client"]

log = logging.getLogger(__name__)
CALL = "cinegraph"
"""Extension of a request: its call; of a response: the :class:`Done` with the value read."""
ON_SENT = "cinegraph_on_sent"
"""Extension of a request: called for every attempt that left."""
_MOST_CONNECTIONS = 64
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1)
_TRUST: tuple[Provenance, ...] = ("live", "cache", "stale", "fallback", "mock")
_HEADERS_OUT = "send_request_headers.complete"


class _Lanes:
    """The connections to one service, each in a pool of its own; the one used last goes first.

    A pool of many looks at every connection it has before and after every request, which costs more than the request.
    """

    def __init__(self) -> None:
        self._context = httpx.create_ssl_context(trust_env=False)
        self._places = asyncio.Semaphore(_MOST_CONNECTIONS)
        self._all: list[httpx.AsyncHTTPTransport] = []
        self._idle: list[httpx.AsyncHTTPTransport] = []

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """Lend a connection for one request and its answer."""
        async with self._places:
            lane = self._idle.pop() if self._idle else self._opened()
            try:
                yield lane
            finally:
                self._idle.append(lane)

    async def aclose(self) -> None:
        """Close every connection."""
        for lane in self._all:
            await lane.aclose()

    def _opened(self) -> httpx.AsyncHTTPTransport:
        lane = httpx.AsyncHTTPTransport(limits=_ONE_CONNECTION, verify=self._context, trust_env=False)
        self._all.append(lane)
        return lane


class _Sending:
    """Watches one attempt on the wire; ``left`` tells whether its request has gone out."""

    def __init__(self) -> None:
        self.left = False

    async def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        if event.endswith(_HEADERS_OUT):
            self.left = True


class GuardedTransport(httpx.AsyncBaseTransport):
    """Leads every request of one service through its :class:`CallGuard`.

    Returns a response whose body is read; raises the :class:`ServiceError` or :class:`PageError` the call ends with, the
    former as an exception of httpx too.
    """

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._lanes = _Lanes()
        self._prefix = httpx.URL(services.base_url(name)).raw_path.decode("ascii").rstrip("/")
        self._refreshing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its call is done."""
        guard = self._services.begin(self._call_of(request), method=request.method, on_sent=request.extensions.get(ON_SENT))
        try:
            recall = self._recall(guard.call, request)
            return await (self._lead(guard, request) if recall is None else recall.lead(guard))
        except Spared as spared:
            return _rebuilt(request, spared.done)
        except BaseException as error:
            if not guard.ended:
                guard.abandon(_marked(classify(error), left=False))
            if isinstance(error, ServiceError):
                _as_httpx(error, request)
            raise

    async def aclose(self) -> None:
        """Close the connections; what is fetched in the background is given up."""
        for task in self._refreshing:
            task.cancel()
        await asyncio.gather(*self._refreshing, return_exceptions=True)
        await self._lanes.aclose()

    def _recall(self, call: Call, request: httpx.Request) -> Recall[httpx.Response] | None:
        """Return the way past the cache, ``None`` for a request whose answer is not to be kept."""
        cache = self._services.cache(self._name)
        if cache.policy.ttl <= 0 or call.fresh or request.method != "GET":
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
            rebuild=partial(_rebuilt, request),
            refresh=lambda: self._refresh(call, request, key),
        )

    def _refresh(self, call: Call, request: httpx.Request, key: str) -> None:
        """Fetch an answer anew for the next caller, unless somebody is at it."""
        flight, leading = self._services.cache(self._name).board(key)
        recall = self._recall(call, request)
        if not leading or recall is None:
            return
        task = asyncio.ensure_future(self._renew(recall, flight, self._services.begin(call, method=request.method)))
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
            raise ConfigurationError(
                f"the client of {self._name} was asked for {request.url.host}; give it a path, or a URL made by services.join()"
            )
        return call

    async def _lead(self, guard: CallGuard, request: httpx.Request) -> httpx.Response:
        clock = self._services.clock
        began = clock.monotonic()
        while True:
            attempt = guard.attempt()
            await _pause(clock, attempt.wait)
            guard.leaving(attempt)
            while not guard.counted():
                await self._services.supply(self._name)
            outcome = await self._try(guard, attempt, request)
            if not isinstance(outcome, Again):
                outcome.elapsed = timedelta(seconds=clock.monotonic() - began)
                return outcome
            await _pause(clock, outcome.wait)

    async def _try(self, guard: CallGuard, attempt: Attempt, request: httpx.Request) -> httpx.Response | Again:
        """Send the request once; return the response the call ends with, or the wait before the next attempt."""
        sending = _Sending()
        try:
            with bounded(self._services.clock, attempt.timeout):
                response = await self._fetch(self._inner_request(request, sending))
        except asyncio.CancelledError as error:
            guard.abandon(_marked(classify(error), left=sending.left))
            raise
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is classified
            failure = _marked(classify(error, service=self._name), left=sending.left)
        else:
            try:
                verdict = guard.answered(attempt, self._answer(request, response))
            except ServiceError as error:
                _as_httpx(error, request, response)
                raise
            response.extensions[CALL] = verdict
            return response if isinstance(verdict, Done) else verdict
        return guard.failed(attempt, failure)

    async def _fetch(self, request: httpx.Request) -> httpx.Response:
        async with self._lanes.lane() as lane:
            response = await lane.handle_async_request(request)
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response

    def _inner_request(self, request: httpx.Request, sending: _Sending) -> httpx.Request:
        credentials = self._services.state(self._name).credentials
        headers = request.headers.copy()
        headers.update(credentials.headers)
        return httpx.Request(
            request.method,
            request.url.copy_merge_params(credentials.params) if credentials.params else request.url,
            headers=headers,
            stream=request.stream,
            extensions={**request.extensions, "trace": sending},
        )

    def _answer(self, request: httpx.Request, response: httpx.Response) -> Answer:
        public = self._services.public(self._name, str(request.url))
        return Answer(response.status_code, dict(response.headers), response.content, public)


class _BlockingTransport(httpx.BaseTransport):
    """The same for callers that block: the work is done in a loop of its own, so that a timeout bounds it in the same way."""

    def __init__(self, services: Services, name: str) -> None:
        self._portal = Portal()
        self._inner = GuardedTransport(services, name)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its call is done."""
        request.read()
        response = self._portal.run(self._inner.handle_async_request(request))
        response.stream = httpx.ByteStream(b"")  # its body is read; the asynchronous stream it came by is not for this client
        return response

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._portal.run(self._inner.aclose())
        self._portal.close()


class HttpServiceClient:
    """The :class:`~cinegraph_core.contracts.ServiceClient` that plugins are handed."""

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._sent = 0
        self._heard: set[Provenance] = set()

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, call: Call) -> Any:
        """Send a GET through the door and return what ``call.read`` makes of the answer."""
        response = await self._services.http_client(self._name).get(
            self._services.join(self._name, path),
            params={name: value for name, value in (params or {}).items() if value is not None} or None,
            extensions={CALL: call, ON_SENT: self._count},
        )
        done: Done = response.extensions[CALL]
        self._heard.add(done.answer.provenance or self._services.provenance(self._name))
        return done.value

    @property
    def requests_sent(self) -> int:
        """How many HTTP requests have left through this client."""
        return self._sent

    @property
    def provenance(self) -> Provenance:
        """The worst provenance of what this client was answered; before the first answer, that of the service."""
        return max(self._heard, key=_TRUST.index, default=self._services.provenance(self._name))

    def _count(self) -> None:
        self._sent += 1


def guarded_client(services: Services, name: str) -> AsyncClient:
    """Return an httpx client for one service; paths are taken below its base URL."""
    return AsyncClient(transport=GuardedTransport(services, name), **_options(services, name))


def blocking_client(services: Services, name: str) -> Client:
    """Return the same for callers that block."""
    return Client(transport=_BlockingTransport(services, name), **_options(services, name))


def _options(services: Services, name: str) -> dict[str, Any]:
    return {
        "base_url": services.base_url(name),
        "headers": {"User-Agent": f"cinegraph/{version('cinegraph')}"},
        "timeout": None,  # the door bounds the attempt as a whole, which httpx cannot
        "follow_redirects": False,
        "trust_env": False,
    }


async def _pause(clock: Clock, seconds: float) -> None:
    if seconds > 0:
        await clock.sleep(seconds)


def _marked(error: ServiceError | PageError, *, left: bool) -> ServiceError | PageError:
    if isinstance(error, ServiceError):
        error.sent = left
    return error


def _rebuilt(request: httpx.Request, done: Done) -> httpx.Response:
    """Return a kept answer as a response."""
    answer = done.answer
    response = httpx.Response(
        answer.status, headers=dict(answer.headers), content=answer.body, request=request, extensions={CALL: done}
    )
    response.elapsed = timedelta(0)
    return response


def _as_httpx(error: ServiceError, request: httpx.Request, response: httpx.Response | None = None) -> None:
    """Let what speaks httpx catch the error: by its status, as a timeout, or as a service that cannot be reached."""
    if isinstance(error, httpx.HTTPError):
        return
    if isinstance(error, ServiceTimeoutError):
        kind: type[httpx.HTTPError] = httpx.TimeoutException
    elif isinstance(error, InvalidResponseError):
        kind = httpx.DecodingError
    elif response is not None:
        kind = httpx.HTTPStatusError
    else:
        kind = httpx.NetworkError if isinstance(error, NetworkError) and error.sent else httpx.ConnectError
    twin = also(error, kind)
    twin.__dict__.update(_request=request, response=response)
    if response is not None:
        response.request = request
