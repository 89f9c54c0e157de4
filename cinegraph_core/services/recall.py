"""How a call is answered from the cache, by somebody else's request under way, or by its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import PageError, ServiceError
from cinegraph_core.resilience.cache import Entry
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.flights import Flight
from cinegraph_core.services.timing import in_time
from cinegraph_core.services.verdicts import Done, Elsewhere, Spared

T = TypeVar("T")


@dataclass(slots=True)
class Recall(Generic[T]):
    """One call whose answer may be kept under ``key``; those that would end alike share one request.

    ``ask`` makes the request, ``rebuild`` turns a kept answer into what ``ask`` returns, ``refresh`` fetches the same anew in
    the background, as a call of its own.
    """

    cache: ServiceCache
    key: str
    path: str
    ask: Callable[[CallGuard], Awaitable[T]]
    rebuild: Callable[[Done], T]
    refresh: Callable[[], None]

    async def lead(self, guard: CallGuard) -> T:
        """Return the answer; raises what the call ends with."""
        if guard.call.fresh:
            return await self._ask_anew(guard)
        while True:
            entry = await self._find(guard) if self.cache.may_hold(self.key) else None
            if entry is not None and (done := recalled_from(self.cache, entry, guard, self.refresh)) is not None:
                return self.rebuild(done)
            company = guard.company
            flight, leading = self.cache.board(self.key + company if company else self.key)
            if leading:
                return await self.fly(guard, flight)
            try:
                landed = await _landed(flight, guard)
                if landed is not None:
                    return self.rebuild(guard.told(self.cache.shared(landed)))
            except Elsewhere:
                return await self.ask(guard)

    async def _find(self, guard: CallGuard) -> Entry | None:
        began = guard.begin_to_wait()
        entry = await self.cache.find(self.key, patience=guard.left())
        guard.waited(began)
        return entry

    async def fly(self, guard: CallGuard, flight: Flight) -> T:
        """Make the request for all who wait.

        Its answer is kept, and judged by each of them; where none came, its error is everybody's.
        """
        outcome: Answer | BaseException | None = None
        try:
            return await self.ask(guard)
        except Spared as spared:
            outcome = spared.done.answer
            raise
        except BaseException as error:
            outcome = heard_in(guard, error)
            raise
        finally:
            hand_over(self.cache, flight, keep(self.cache, self.key, self.path, guard) or outcome)

    async def _ask_anew(self, guard: CallGuard) -> T:
        """Make a request of one's own, whose answer takes the place of a kept one; where none is, nobody wants any."""
        replaces = self.cache.may_hold(self.key) and await self._find(guard) is not None
        try:
            return await self.ask(guard)
        finally:
            if replaces:
                keep(self.cache, self.key, self.path, guard)


async def _landed(flight: Flight, guard: CallGuard) -> Answer | None:
    """Return what a flight brought, ``None`` if its leader gave up.

    Raises the leader's error, or that it took too long, or in place of either :class:`Spared` or :class:`Elsewhere`.
    """
    began = guard.begin_to_wait()
    landing = asyncio.ensure_future(flight.wait())
    try:
        if not await in_time(landing, guard.left):
            raise guard.overdue("another caller's request for the same was not answered in time")
    finally:
        landing.cancel()
    guard.waited(began)
    try:
        return landing.result()
    except (ServiceError, PageError) as error:
        raise guard.shares(error) from error.__cause__


def recalled_from(cache: ServiceCache, entry: Entry, guard: CallGuard, renew: Callable[[], None]) -> Done | None:
    """End the call with an entry that is good enough, and ``renew`` one that has just grown too old.

    One that is good only where nothing better can be had is kept aside in the guard. For it, and for an entry that this call's
    reader cannot read, returns ``None``: the answer has to be asked for.
    """
    use = cache.use_of(entry)
    if use == "renew":
        renew()
    if use in ("serve", "renew"):
        try:
            return guard.recalled(cache.served(entry), absent=entry.absent)
        finally:
            if guard.ended:
                cache.count_served(entry)
    if use == "spare":
        guard.spare = cache.served(entry)
    return None


def keep(cache: ServiceCache, key: str, path: str, guard: CallGuard) -> Answer | None:
    """Keep the answer the call ended with and return it, ``None`` where there is none that may be kept."""
    proper = guard.proper
    if proper is None:
        return None
    cache.keep(key, path, proper.answer, absent=proper.absent, tags=guard.call.tags, asked_at=guard.asked_at)
    return proper.answer


def heard_in(guard: CallGuard, outcome: Answer | BaseException | None) -> Answer | BaseException | None:
    """Return what a call that failed has for others: in place of an error that only its own reader found, the answer."""
    return guard.doubtful or outcome if isinstance(outcome, ServiceError | PageError) else outcome


def hand_over(cache: ServiceCache, flight: Flight, outcome: Answer | BaseException | None) -> None:
    """Close a flight and hand everybody its answer or error; without an outcome, those who wait have to ask."""
    if flight.landed:
        return
    cache.leave(flight)
    if isinstance(outcome, Answer):
        flight.land(outcome)
    else:
        flight.end(outcome)
