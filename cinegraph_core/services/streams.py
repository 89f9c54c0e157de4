"""The door for generators, ``async`` or not: a stream of parts is one call, from the first request to the last part."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from functools import wraps
from math import inf
from typing import Any

from cinegraph_core.services.raised import as_theirs, ours
from cinegraph_core.services.timing import bounded
from cinegraph_core.services.verdicts import Attempt
from cinegraph_core.services.ways import Way, give_up

_END = object()
_AsyncSource = AsyncGenerator[Any, None]
_Source = Generator[Any, None, Any]


def streamed(way: Way, function: Callable[..., _AsyncSource]) -> Callable[..., _AsyncSource]:
    """Return an ``async`` generator function that leads every stream of this one through the door."""

    @wraps(function)
    async def led(*args: Any, **kwargs: Any) -> _AsyncSource:
        stream = _Stream(way, args, kwargs)
        try:
            source, part = await stream.opened(lambda: function(*args, **kwargs))
            async with aclosing(source):
                while part is not _END:
                    stream.hand_over(part)
                    yield part
                    part = await stream.next(source)
        except BaseException as error:
            stream.broken_off(error)
            raise
        stream.ended()

    return led


def streamed_now(way: Way, function: Callable[..., _Source]) -> Callable[..., _Source]:
    """Do the same for a generator function that blocks."""

    @wraps(function)
    def led(*args: Any, **kwargs: Any) -> _Source:
        stream = _Stream(way, args, kwargs)
        try:
            source, part = stream.opened_now(lambda: function(*args, **kwargs))
            with closing(source):
                while part is not _END:
                    stream.hand_over(part)
                    yield part
                    part = stream.next_now(source)
        except BaseException as error:
            stream.broken_off(error)
            raise
        stream.ended()
        return stream.returned

    return led


class _Stream:
    """One call whose answer comes in parts.

    It may be tried again until the first part is with the caller. The time that the caller takes for a part is not the
    service's, and what happens meanwhile is no fault of it.
    """

    def __init__(self, way: Way, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._services, self._guard = way.begin(args, kwargs)
        self._clock = self._services.clock
        self._name = way.spec.name
        self._refused_as = way.refused_as
        self._attempt: Attempt | None = None
        self._left = inf
        self._last: Any = None
        self.returned: Any = None
        """What the generator returned when it ended."""
        self._handed_over: float | None = None

    async def opened(self, begin: Callable[[], _AsyncSource]) -> tuple[_AsyncSource, Any]:
        """Return a stream and its first part."""
        while True:
            self._begin(await self._services.admit(self._guard))
            try:
                source = begin()
                return source, await self._part(source)
            except Exception as error:  # noqa: BLE001 - whatever it raises is classified
                wait = self._failed(error)
            await self._clock.sleep(wait)

    def opened_now(self, begin: Callable[[], _Source]) -> tuple[_Source, Any]:
        """Do the same and block the thread meanwhile."""
        while True:
            self._begin(self._services.admit_now(self._guard))
            try:
                source = begin()
                return source, self._part_now(source)
            except Exception as error:  # noqa: BLE001 - whatever it raises is classified
                wait = self._failed(error)
            self._clock.pause(wait)

    def hand_over(self, part: Any) -> None:
        """Take note that a part goes to the caller."""
        self._last = part
        self._handed_over = self._clock.monotonic()

    async def next(self, source: _AsyncSource) -> Any:
        """Return the next part; nothing is repeated any more."""
        self._come_back()
        try:
            return await self._part(source)
        except Exception as error:
            self._failed(error)
            raise

    def next_now(self, source: _Source) -> Any:
        """Do the same and block the thread meanwhile."""
        self._come_back()
        try:
            return self._part_now(source)
        except Exception as error:
            self._failed(error)
            raise

    def ended(self) -> None:
        """End the call well; what was returned, or else the last part, may tell what it cost."""
        if self._attempt is not None:
            self._guard.returned(self._attempt, self._last if self.returned is None else self.returned)

    def broken_off(self, error: BaseException) -> None:
        """End the call, unless it has ended: well, if the caller had a part and wants no more.

        Raises its error's twin, as :func:`as_theirs` does.
        """
        if self._handed_over is not None:
            self._come_back()
            self.ended()
        else:
            give_up(self._guard, error, begun=self._attempt is not None)
        as_theirs(error, self._refused_as, refused=self._attempt is None)

    def _begin(self, attempt: Attempt) -> None:
        self._attempt, self._left = attempt, attempt.timeout

    async def _part(self, source: _AsyncSource) -> Any:
        began = self._clock.monotonic()
        with bounded(self._clock, self._left):
            part = await anext(source, _END)
        self._left -= self._clock.monotonic() - began
        return part

    def _part_now(self, source: _Source) -> Any:
        try:
            return next(source)
        except StopIteration as end:
            self.returned = end.value
            return _END

    def _come_back(self) -> None:
        if self._handed_over is not None:
            self._guard.resumed(self._clock.monotonic() - self._handed_over)
            self._handed_over = None

    def _failed(self, error: Exception) -> float:
        """Return the wait before the next attempt, or raise the error that the call ends with."""
        assert self._attempt is not None  # noqa: S101 - it has begun
        again = self._guard.failed(self._attempt, ours(error, self._name, self._clock.now()))
        self._attempt = None
        return again.wait
