"""How a call gets leave for its next request, with the waits that takes: in an event loop, or with its thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from cinegraph_core.contracts import Clock
from cinegraph_core.errors import ServiceTimeoutError
from cinegraph_core.resilience.bulkhead import Bulkhead
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.timing import LOOK, bounded, in_time, in_time_now
from cinegraph_core.services.verdicts import Attempt

_UNCOUNTED = "the database did not count the call in time"
_UNASKED = "the database did not say in time whether another process probes"


async def admitted(guard: CallGuard, clock: Clock, pause: Callable[[float], Awaitable[None]]) -> Attempt:
    """Return leave for the next request, whose wait is over; raises what :meth:`CallGuard.attempt` raises.

    ``pause`` waits out the wait before the request; what else is missing is waited for by ``clock``. After every wait things
    are looked at anew.
    """
    attempt = guard.attempt()
    while attempt.wait > 0 or not guard.counted():
        if attempt.wait > 0:
            await pause(attempt.wait)
        else:
            began = clock.monotonic()
            await _supply(guard, clock)
            guard.waited(began)
        attempt = guard.leaving(attempt)
    return attempt


def admitted_now(guard: CallGuard, clock: Clock) -> Attempt:
    """Do the same and block the thread meanwhile."""
    attempt = guard.attempt()
    while attempt.wait > 0 or not guard.counted():
        if attempt.wait > 0:
            clock.pause(attempt.wait)
        else:
            began = clock.monotonic()
            _supply_now(guard)
            guard.waited(began)
        attempt = guard.leaving(attempt)
    return attempt


async def _supply(guard: CallGuard, clock: Clock) -> None:
    """Wait for one thing that :meth:`CallGuard.counted` missed, without holding the event loop."""
    if (bulkhead := guard.missing_place) is not None:
        await _wait_for_place(guard, bulkhead, clock)
    elif guard.missing_claim and guard.state.probes is not None:
        claim = asyncio.wrap_future(guard.state.probes.claim())
        if not await in_time(claim, guard.left):
            claim.cancel()
            raise guard.overdue(_UNASKED)
        guard.claimed(claim.result())
    elif not await in_time(asyncio.wrap_future(guard.limits.ask()), guard.left):
        raise guard.overdue(_UNCOUNTED)


def _supply_now(guard: CallGuard) -> None:
    """Do the same and block the thread meanwhile."""
    if (bulkhead := guard.missing_place) is not None:
        _block_for_place(guard, bulkhead)
    elif guard.missing_claim and guard.state.probes is not None:
        claim = guard.state.probes.claim()
        if not in_time_now(claim, guard.left):
            claim.cancel()
            raise guard.overdue(_UNASKED)
        guard.claimed(claim.result())
    elif not in_time_now(guard.limits.ask(), guard.left):
        raise guard.overdue(_UNCOUNTED)


async def _wait_for_place(guard: CallGuard, bulkhead: Bulkhead, clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()

    def arrive() -> None:
        if not arrived.done():
            arrived.set_result(None)

    def wake() -> bool:
        try:
            loop.call_soon_threadsafe(arrive)
        except RuntimeError:  # the loop is closed, and whoever waited in it is gone
            return False
        return True

    waiter = guard.queue(bulkhead, wake)
    try:
        with bounded(clock, guard.left()):
            await arrived
    except BaseException as error:
        bulkhead.give_up(waiter)
        if isinstance(error, ServiceTimeoutError):
            raise guard.overdue(_full(guard, bulkhead)) from None
        raise
    guard.seated(bulkhead)


def _block_for_place(guard: CallGuard, bulkhead: Bulkhead) -> None:
    arrived = threading.Event()

    def wake() -> bool:
        arrived.set()
        return True

    waiter = guard.queue(bulkhead, wake)
    try:
        while not (came := arrived.wait(LOOK)) and guard.left() > 0:
            pass
    except BaseException:
        bulkhead.give_up(waiter)
        raise
    if not came:
        bulkhead.give_up(waiter)
        raise guard.overdue(_full(guard, bulkhead))
    guard.seated(bulkhead)


def _full(guard: CallGuard, bulkhead: Bulkhead) -> str:
    return f"none of the {bulkhead.places} calls to {guard.call.service} under way ended in time"
