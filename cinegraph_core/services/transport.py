"""The door for httpx: the only module that imports it, so that another client library is one file away.

A request's ``extensions["cinegraph"]`` may hold its :class:`~cinegraph_core.contracts.Call`; without one the request is a
call of its own with operation ``request``. Credentials are added to the inner request only: neither the caller's request
and response nor httpx's own log ever hold them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from httpx import AsyncClient

from cinegraph_core.contracts import Answer, Call, Clock
from cinegraph_core.errors import ConfigurationError, PageError, ServiceError, ServiceTimeoutError, classify
from cinegraph_core.records import Provenance
from cinegraph_core.services.call import Again, Attempt, CallGuard, Done

if TYPE_CHECKING:
    from cinegraph_core.services.door import Services

__all__ = ["AsyncClient", "GuardedTransport", "HttpServiceClient", "guarded_client"]

CALL = "cinegraph"
"""Extension of a request: its call; of a response: the :class:`Done` with the value read."""
ON_SENT = "cinegraph_on_sent"
"""Extension of a request: called for every attempt that left."""
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=64)
_HEADERS_OUT = "send_request_headers.complete"

T = TypeVar("T")


class _Sending:
    """Watches one attempt on the wire; ``left`` tells whether its request has gone out."""

    def __init__(self) -> None:
        self.left = False

    async def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        if event.endswith(_HEADERS_OUT):
            self.left = True


class GuardedTransport(httpx.AsyncBaseTransport):
    """Leads every request of one service through its :class:`CallGuard`.

    Returns a response whose body is read; raises the :class:`ServiceError` or :class:`PageError` the call ends with.
    """

    def __init__(self, services: Services, name: str, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._services = services
        self._name = name
        self._inner = inner or httpx.AsyncHTTPTransport(limits=_LIMITS, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until its call is done."""
        guard = self._services.begin(self._call_of(request), method=request.method, on_sent=request.extensions.get(ON_SENT))
        try:
            return await self._lead(guard, request)
        except BaseException as error:
            if not guard.ended:
                guard.abandon(_marked(classify(error), left=False))
            raise

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

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
            outcome = await self._try(guard, attempt, request)
            if not isinstance(outcome, Again):
                outcome.elapsed = timedelta(seconds=clock.monotonic() - began)
                return outcome
            await _pause(clock, outcome.wait)

    async def _try(self, guard: CallGuard, attempt: Attempt, request: httpx.Request) -> httpx.Response | Again:
        """Send the request once; return the response the call ends with, or the wait before the next attempt."""
        sending = _Sending()
        try:
            response = await _within(self._services.clock, attempt.timeout, self._fetch(self._inner_request(request, sending)))
        except asyncio.CancelledError as error:
            guard.abandon(_marked(classify(error), left=sending.left))
            raise
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is classified
            failure = _marked(classify(error, service=self._name), left=sending.left)
        else:
            verdict = guard.answered(attempt, self._answer(request, response))
            response.extensions[CALL] = verdict
            return response if isinstance(verdict, Done) else verdict
        return guard.failed(attempt, failure)

    async def _fetch(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
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


class HttpServiceClient:
    """The :class:`~cinegraph_core.contracts.ServiceClient` that plugins are handed."""

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._sent = 0

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, call: Call) -> Any:
        """Send a GET through the door and return what ``call.read`` makes of the answer."""
        response = await self._services.http_client(self._name).get(
            self._services.join(self._name, path),
            params={name: value for name, value in (params or {}).items() if value is not None} or None,
            extensions={CALL: call, ON_SENT: self._count},
        )
        return response.extensions[CALL].value

    @property
    def requests_sent(self) -> int:
        """How many HTTP requests have left through this client."""
        return self._sent

    @property
    def provenance(self) -> Provenance:
        """The provenance of what this client's service answers in this run."""
        return self._services.provenance(self._name)

    def _count(self) -> None:
        self._sent += 1


def guarded_client(services: Services, name: str) -> AsyncClient:
    """Return an httpx client for one service; paths are taken below its base URL."""
    return AsyncClient(
        transport=GuardedTransport(services, name),
        base_url=services.base_url(name),
        headers={"User-Agent": f"cinegraph/{version('cinegraph')}"},
        timeout=None,  # noqa: S113 - the door bounds the attempt as a whole, which httpx cannot
        follow_redirects=False,
        trust_env=False,
    )


async def _pause(clock: Clock, seconds: float) -> None:
    if seconds > 0:
        await clock.sleep(seconds)


async def _within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; after ``seconds`` on the clock it is cancelled, and :class:`ServiceTimeoutError` raised."""
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ServiceTimeoutError(f"no complete answer within {seconds:g} s")
    finally:
        task.cancel()
        timer.cancel()
        await asyncio.gather(task, timer, return_exceptions=True)


def _marked(error: ServiceError | PageError, *, left: bool) -> ServiceError | PageError:
    if isinstance(error, ServiceError):
        error.sent = left
    return error
