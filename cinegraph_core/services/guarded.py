"""The door for any callable: ``@guarded("openai")``."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import msgspec

from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import PageError, RateLimitError, ServerError, ServiceError, classify, from_status
from cinegraph_core.resilience.budget import Tokens
from cinegraph_core.resilience.retry import parse_retry_after
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.door import Services
from cinegraph_core.services.opening import opened
from cinegraph_core.services.timing import bounded

P = ParamSpec("P")
R = TypeVar("R")

_STATUS = ("status_code", "status", "code")
"""Where client libraries keep the HTTP status of an error: httpx, requests and openai; aiohttp; urllib."""


def guarded(
    service: str | ServiceSpec,
    *,
    operation: str | None = None,
    target: Callable[P, str] | None = None,
    idempotent: bool = False,
    tokens: Tokens | None = None,
    usage: Callable[[Any], Tokens | None] | None = None,
    services: Services | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lead every call of a function, ``async`` or not, through the door: breaker, rate, deadline, retries and one row.

    ``service`` is one that a plugin brings, or any name or :class:`ServiceSpec`, which is taken in. ``operation`` and
    ``target`` name the call in the record (the function's name; ``target`` is called with the arguments). Only a function said
    to be ``idempotent`` is repeated. What it raises is classified, by class or HTTP status, and raised as a
    :class:`ServiceError` whose cause is the original; a :class:`PageError` passes. The timeout cancels an ``async``
    function; one that is not cannot be stopped from outside, so give its client a timeout of its own. Where tokens cost
    money, ``tokens`` is the most a call may take, and ``usage`` finds those it took in what the function returned; without
    it they are sought where OpenAI writes them. Without ``services`` the application is opened at the first call, as for
    :func:`cinegraph_core.services.client`.
    """
    spec = service if isinstance(service, ServiceSpec) else ServiceSpec(service, base_url="")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        name = operation or str(getattr(function, "__name__", "call"))
        way = _Way(
            spec, Call(spec.name, name, name, tokens=tokens, usage=usage), target, "GET" if idempotent else "POST", services
        )
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def led(*args: P.args, **kwargs: P.kwargs) -> Any:
                return await way.lead(function, args, kwargs)

            return cast("Callable[P, R]", led)

        @wraps(function)
        def followed(*args: P.args, **kwargs: P.kwargs) -> R:
            return cast("R", way.follow(function, args, kwargs))

        return followed

    return decorate


@dataclass(frozen=True, slots=True)
class _Way:
    """The way of one function's calls through the door."""

    spec: ServiceSpec
    call: Call
    target: Callable[..., str] | None
    method: str
    services: Services | None

    async def lead(self, work: Callable[..., Awaitable[Any]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an ``async`` function until its call is done."""
        services, guard = self._begin(args, kwargs)
        clock = services.clock
        try:
            while True:
                attempt = await services.admit(guard)
                try:
                    with bounded(clock, attempt.timeout):
                        value = await work(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 - whatever it raises is classified
                    again = guard.failed(attempt, _ours(error, self.spec.name, clock.now()))
                else:
                    guard.returned(attempt, value)
                    return value
                await clock.sleep(again.wait)
        except BaseException as error:
            guard.abandon(error)
            raise

    def follow(self, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function that blocks until its call is done."""
        services, guard = self._begin(args, kwargs)
        clock = services.clock
        try:
            while True:
                attempt = services.admit_now(guard)
                try:
                    value = work(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 - whatever it raises is classified
                    again = guard.failed(attempt, _ours(error, self.spec.name, clock.now()))
                else:
                    guard.returned(attempt, value)
                    return value
                clock.pause(again.wait)
        except BaseException as error:
            guard.abandon(error)
            raise

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Services, CallGuard]:
        services = self.services or opened()
        services.adopt(self.spec)
        call = self.call if self.target is None else msgspec.structs.replace(self.call, target=self.target(*args, **kwargs))
        return services, services.begin_own(call, method=self.method)


def _ours(error: Exception, service: str, now: float) -> ServiceError | PageError:
    """Return a client library's error as one of ours: by the HTTP status it carries, else by its class."""
    response = getattr(error, "response", None)
    status = next((one for one in (_status(error), _status(response)) if one is not None), None)
    ours = None if status is None or isinstance(error, ServiceError | PageError) else from_status(status, service=service)
    if ours is None:
        return classify(error, service=service)
    ours.__cause__ = error
    header = getattr(getattr(error if response is None else response, "headers", None), "get", None)
    if header is not None and isinstance(ours, RateLimitError | ServerError):
        ours.retry_after = parse_retry_after(header("retry-after") or header("Retry-After"), now)
    return ours


def _status(thing: object) -> int | None:
    return next((value for name in _STATUS if isinstance(value := getattr(thing, name, None), int)), None)
