"""How a call is answered from the cache, by somebody else's request under way, or by its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cinegraph_core.contracts import Answer
from cinegraph_core.resilience.cache import Entry
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.flights import Flight
from cinegraph_core.services.verdicts import Done, Spared

T = TypeVar("T")


@dataclass(slots=True)
class Recall(Generic[T]):
    """One call whose answer may be kept under ``key``.

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
        while True:
            entry = await self.cache.find(self.key) if self.cache.may_hold(self.key) else None
            if entry is not None and (done := recalled_from(self.cache, entry, guard, self.refresh)) is not None:
                return self.rebuild(done)
            flight, leading = self.cache.board(self.key)
            if leading:
                return await self.fly(guard, flight)
            landed = await flight.wait()
            if landed is None:
                continue
            done = guard.recalled(self.cache.shared(landed))
            return await self.ask(guard) if done is None else self.rebuild(done)

    async def fly(self, guard: CallGuard, flight: Flight) -> T:
        """Make the request for all who wait; its answer is kept, its error is everybody's."""
        outcome: Answer | BaseException | None = None
        try:
            return await self.ask(guard)
        except Spared as spared:
            outcome = spared.done.answer
            raise
        except BaseException as error:
            outcome = error
            raise
        finally:
            hand_over(self.cache, self.key, flight, keep(self.cache, self.key, self.path, guard) or outcome)


def recalled_from(cache: ServiceCache, entry: Entry, guard: CallGuard, renew: Callable[[], None]) -> Done | None:
    """End the call with an entry that is good enough, and ``renew`` one that has just grown too old.

    One that is good only where nothing better can be had is kept aside in the guard. For it, and for an entry that this call's
    reader cannot read, returns ``None``: the answer has to be asked for.
    """
    use = cache.use_of(entry)
    if use == "renew":
        renew()
    if use in ("serve", "renew"):
        return guard.recalled(cache.served(entry))
    if use == "spare":
        guard.spare = cache.served(entry)
    return None


def keep(cache: ServiceCache, key: str, path: str, guard: CallGuard) -> Answer | None:
    """Keep the answer the call ended with and return it, ``None`` where there is none that may be kept."""
    proper = guard.proper
    if proper is None:
        return None
    cache.keep(key, path, proper.answer, absent=proper.absent, tags=guard.call.tags)
    return proper.answer


def hand_over(cache: ServiceCache, key: str, flight: Flight, outcome: Answer | BaseException | None) -> None:
    """Close a flight and hand everybody its answer or error; without an outcome, those who wait have to ask."""
    if flight.landed:
        return
    cache.leave(key)
    if isinstance(outcome, Answer):
        flight.land(outcome)
    else:
        flight.end(outcome)
