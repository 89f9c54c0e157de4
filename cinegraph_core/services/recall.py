"""How a call is answered from the cache, by somebody else's request under way, or by its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

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
            if entry is not None and (done := self._from(entry, guard)) is not None:
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
        error: BaseException | None = None
        try:
            return await self.ask(guard)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self.cache.leave(self.key)
            self._hand_over(guard, flight, error)

    def _from(self, entry: Entry, guard: CallGuard) -> Done | None:
        """Answer from an entry that is good enough, or lay it by for the case that nothing better can be had."""
        use = self.cache.use_of(entry)
        if use == "renew":
            self.refresh()
        if use in ("serve", "renew"):
            return guard.recalled(self.cache.served(entry))
        if use == "spare":
            guard.spare = self.cache.served(entry)
        return None

    def _hand_over(self, guard: CallGuard, flight: Flight, error: BaseException | None) -> None:
        if guard.proper is not None:
            self.cache.keep(self.key, self.path, guard.proper.answer, absent=guard.proper.absent, tags=guard.call.tags)
            flight.land(guard.proper.answer)
        elif isinstance(error, Spared):
            flight.land(error.done.answer)
        else:
            flight.end(error)
