"""The door for any callable: ``@guarded("openai")``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import CircuitOpenError, ConfigurationError
from cinegraph_core.resilience.budget import Tokens
from cinegraph_core.services.door import Services
from cinegraph_core.services.streams import streamed, streamed_now
from cinegraph_core.services.twins import also
from cinegraph_core.services.ways import Way

P = ParamSpec("P")
R = TypeVar("R")


def guarded(
    service: str | ServiceSpec,
    *,
    operation: str | None = None,
    target: Callable[..., str] | None = None,
    idempotent: bool = False,
    tokens: Tokens | None = None,
    usage: Callable[[Any], Tokens | None] | None = None,
    refused_as: type[Exception] = ConnectionError,
    services: Services | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lead every call of a function, ``async`` or not, through the door: breaker, rate, deadline, retries and one row.

    ``service`` is one that a plugin brings, or any name or :class:`ServiceSpec`, which is taken in. ``operation`` and
    ``target`` name the call in the record (the function's name; ``target`` is called with the arguments). Only a function said
    to be ``idempotent`` is repeated. What it raises is classified, by class or HTTP status, and raised as a
    :class:`ServiceError` whose cause is the original, and which is an instance of the original's class too; a
    :class:`PageError` passes. A refusal (breaker, quota, budget, hold, no place) is ``refused_as`` too, such as
    ``openai.APIConnectionError``, and a timeout of the door a :class:`TimeoutError`. The timeout cancels an ``async``
    function; one that is not cannot be stopped from outside, so give its client a timeout of its own. Where tokens cost
    money, ``tokens`` is the most a call may take, and ``usage`` finds those it took in what the function returned; without
    it they are sought where OpenAI writes them. Without ``services`` the application is opened at the first call, as for
    :func:`cinegraph_core.services.client`.

    What returns an awaitable is led where that is awaited. A generator, ``async`` or not, is one call, which is repeated only
    before its first item; what it returns, or else its last item, may tell the tokens. Raises :class:`ConfigurationError` for
    what is no function, or no class of errors.
    """
    _check_class(refused_as)
    spec = service if isinstance(service, ServiceSpec) else ServiceSpec(service, base_url="")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        given: object = function
        if not callable(given) or isinstance(given, type | staticmethod):
            raise ConfigurationError(
                f"@guarded({spec.name!r}) cannot lead the calls of {given!r}: put it on a function, below @staticmethod, "
                "@classmethod and @property, on a method of a class instead of the class, or on an object with __call__"
            )
        name = operation or str(getattr(function, "__name__", "call"))
        call = Call(spec.name, name, name, tokens=tokens, usage=usage)
        way = Way(spec, call, target, "GET" if idempotent else "POST", services, refused_as)
        return cast("Callable[P, R]", _led(way, function))

    return decorate


def _check_class(refused_as: type[Exception]) -> None:
    try:
        also(CircuitOpenError(), refused_as)
    except Exception as error:
        raise ConfigurationError(
            f"@guarded(refused_as={refused_as!r}): give it the class of errors that its client raises where a service is away, "
            f"such as ConnectionError ({error})"
        ) from error


def _led(way: Way, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callable of the function's own kind."""
    if _is(inspect.isasyncgenfunction, function):
        return streamed(way, function)
    if _is(inspect.isgeneratorfunction, function):
        return streamed_now(way, function)
    if _is(inspect.iscoroutinefunction, function):

        @wraps(function)
        async def led(*args: Any, **kwargs: Any) -> Any:
            return await way.lead(function, args, kwargs)

        return led

    @wraps(function)
    def followed(*args: Any, **kwargs: Any) -> Any:
        return way.follow(function, args, kwargs)

    return followed


def _is(kind: Callable[[Any], bool], function: Callable[..., Any]) -> bool:
    return kind(function) or kind(type(function).__call__)
