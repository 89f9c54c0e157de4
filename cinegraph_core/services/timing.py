"""Bounding work by the injected clock."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Clock
from cinegraph_core.errors import ServiceTimeoutError


def bounded(clock: Clock, seconds: float) -> Bound:
    """Return a block that bounds the work awaited in it.

    After ``seconds`` on the clock (they may be infinite) the block is cancelled, and :class:`ServiceTimeoutError` raised in
    its place; a cancellation from outside stays one.
    """
    return Bound(seconds) if isinstance(clock, SystemClock) else _Race(seconds, clock)


LOOK = 0.05
"""Seconds after which who waits for another thread looks at the clock; what comes meanwhile wakes it at once."""


async def in_time(work: asyncio.Future[Any], left: Callable[[], float]) -> bool:
    """Wait until work done by others has ended, but only while there is time ``left``; returns whether it has."""
    while not work.done():
        if (seconds := left()) <= 0:
            return False
        await asyncio.wait({work}, timeout=min(LOOK, seconds))
    return True


def in_time_now(work: concurrent.futures.Future[Any], left: Callable[[], float]) -> bool:
    """Do the same and block the thread meanwhile."""
    while not work.done():
        if (seconds := left()) <= 0:
            return False
        concurrent.futures.wait({work}, timeout=min(LOOK, seconds))
    return True


class Bound:
    """A block that ends in time; by the machine's clock, as :class:`asyncio.Timeout` does it."""

    __slots__ = ("_alarm", "_cancelling", "_expired", "_seconds", "_task", "ends_at")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("work can be bounded within a task only")
        self._task = task
        self._cancelling = task.cancelling()
        self._arm(loop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._disarm()
        if self._expired and self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise ServiceTimeoutError(f"no complete answer within {self._seconds:g} s") from error

    def expire(self) -> None:
        """Cancel the block, because its time is over."""
        self._expired = True
        self._task.cancel()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        alarm: _Alarm | None = getattr(_here, "alarm", None)
        if alarm is None or alarm.loop is not loop:
            alarm = _here.alarm = _Alarm(loop)
        self.ends_at = loop.time() + self._seconds
        self._alarm = alarm
        alarm.watch(self)

    def _disarm(self) -> None:
        self._alarm.blocks.discard(self)


class _Race(Bound):
    """The same by whatever clock: a task sleeps on it beside the block."""

    __slots__ = ("_clock", "_ringing")

    def __init__(self, seconds: float, clock: Clock) -> None:
        super().__init__(seconds)
        self._clock = clock

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ringing = loop.create_task(self._ring())

    async def _ring(self) -> None:
        await self._clock.sleep(self._seconds)
        self.expire()

    def _disarm(self) -> None:
        self._ringing.cancel()


class _Alarm:
    """One timer for all blocks of an event loop: one for each would cost more than the rest of a call.

    It is set to the earliest end. When it rings, what is due is cancelled, and it is set anew.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.blocks: set[Bound] = set()
        self._rings_at = float("inf")
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, block: Bound) -> None:
        """Take in a block, whose ``ends_at`` is set."""
        self.blocks.add(block)
        if block.ends_at < self._rings_at:
            self._set(block.ends_at)

    def _set(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = when
        self._timer = self.loop.call_at(when, self._ring)

    def _ring(self) -> None:
        for block in [one for one in self.blocks if one.ends_at <= self._rings_at]:
            self.blocks.discard(block)
            block.expire()
        self._rings_at, self._timer = float("inf"), None
        if (earliest := min((block.ends_at for block in self.blocks), default=self._rings_at)) < self._rings_at:
            self._set(earliest)


_here = threading.local()
"""The alarm of the loop that runs in this thread."""
