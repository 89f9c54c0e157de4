"""The way of one function's calls through the door, whether it blocks or is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import ConfigurationError, ServiceError, classify
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.door import Services
from cinegraph_core.services.opening import opened
from cinegraph_core.services.raised import as_theirs, ours
from cinegraph_core.services.timing import bounded
from cinegraph_core.services.verdicts import Attempt


@dataclass(slots=True)
class Way:
    """The way of one function's calls through the door."""

    spec: ServiceSpec
    call: Call
    target: Callable[..., str] | None
    method: str
    services: Services | None
    refused_as: type[Exception] = ConnectionError
    _is_awaited: bool = False
    """Whether the function has returned an awaitable, so that a call which has to wait for leave waits within the event loop."""

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Services, CallGuard]:
        """Open a call with these arguments; the application too, if no door was given."""
        services = self.services or opened()
        services.adopt(self.spec)
        call = self.call if self.target is None else msgspec.structs.replace(self.call, target=self.target(*args, **kwargs))
        return services, services.begin_own(call, method=self.method)

    async def lead(self, work: Callable[..., Awaitable[Any]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an ``async`` function until its call is done."""
        services, guard = self.begin(args, kwargs)
        clock = services.clock
        attempt: Attempt | None = None
        try:
            while True:
                attempt = await services.admit(guard)
                try:
                    with bounded(clock, attempt.timeout):
                        value = await work(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 - whatever it raises is classified
                    again = guard.failed(attempt, ours(error, self.spec.name, clock.now()))
                    attempt = None
                else:
                    guard.returned(attempt, value)
                    return value
                await clock.sleep(again.wait)
        except BaseException as error:
            give_up(guard, error, begun=attempt is not None)
            as_theirs(error, self.refused_as, refused=attempt is None)
            raise

    def follow(self, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function that blocks until its call is done; where it returns an awaitable, return one that leads the call."""
        services, guard = self.begin(args, kwargs)
        clock = services.clock
        attempt: Attempt | None = None
        try:
            if self._is_awaited and _is_in_loop():
                attempt = _at_once(guard)
                if attempt is None:
                    guard.forget()
                    return self.lead(_resolved(work), args, kwargs)
            while True:
                attempt = attempt or services.admit_now(guard)
                try:
                    value = work(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 - whatever it raises is classified
                    again = guard.failed(attempt, ours(error, self.spec.name, clock.now()))
                    attempt = None
                else:
                    kind: Any = type(value)
                    if _is_yet_to_come(kind):
                        guard.forget()
                        return self._later(value, work, args, kwargs)
                    guard.returned(attempt, value)
                    return value
                clock.pause(again.wait)
        except BaseException as error:
            give_up(guard, error, begun=attempt is not None)
            as_theirs(error, self.refused_as, refused=attempt is None)
            raise

    def _later(self, value: Any, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
        """Lead the call anew, within the event loop, with an awaitable that the function has returned."""
        if not hasattr(type(value), "__await__"):
            raise ConfigurationError(
                f"{work!r} returned a generator, whose work begins only when it is read; guard the generator function itself, "
                "or read it within the guarded function"
            )
        self._is_awaited = True
        first = [value]
        return self.lead(_resolved(lambda *args, **kwargs: first.pop() if first else work(*args, **kwargs)), args, kwargs)


def give_up(guard: CallGuard, error: BaseException, *, begun: bool) -> None:
    """End a call that was broken off, unless it has ended; only if the function has begun may a request have left."""
    if guard.ended:
        return
    reason = classify(error)
    if isinstance(reason, ServiceError) and not begun:
        reason.sent = False
    guard.abandon(reason)


def _at_once(guard: CallGuard) -> Attempt | None:
    """Return leave for a request, ``None`` if it has to be waited for."""
    if guard.state.spec.rate_per_second > 0:
        return None  # a turn that was taken could not be given back
    attempt = guard.attempt()
    return attempt if attempt.wait <= 0 and guard.counted() else None


def _is_in_loop() -> bool:
    return asyncio._get_running_loop() is not None


def _resolved(work: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def resolve(*args: Any, **kwargs: Any) -> Any:
        value = work(*args, **kwargs)
        return await value if hasattr(type(value), "__await__") else value

    return resolve


@lru_cache(maxsize=256)
def _is_yet_to_come(kind: type) -> bool:
    """Tell whether a value of this class has still to do the work that it was asked for."""
    return hasattr(kind, "__await__") or issubclass(kind, Generator | AsyncGenerator)
