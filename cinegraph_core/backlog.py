"""Decides about every stored film that waits, and outlasts a service that is down."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from math import isinf

from cinegraph_core.application import Application
from cinegraph_core.deciding import decide
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.matching import match_stream
from cinegraph_core.records import FilmQuery, Match
from cinegraph_core.services.rules import moment
from cinegraph_core.storage.films import film_query, truthful

PATIENCE = 3
"""Probes in a row that may bring nothing before the rest is left for another time."""
TRANSIENT = frozenset({"bulkhead_full", "circuit_open", "network_error", "rate_limit", "server_error", "timeout"})
"""Errors after which the same film is asked for again in this run."""
_PAUSE = 2.0
"""Seconds before the next try where no service says how long to wait."""
_NAP = 60.0
"""Seconds after which a wait for a reset looks at the clock again: it may have been set meanwhile."""


@dataclass
class Backlog:
    """Works through the films that wait, each with its decision in one transaction.

    An outage decides nothing. When a service's next probe is due, one film alone is asked for again; the others follow once it
    is answered. A film for which a quota or budget leaves no room is parked until that begins anew.
    """

    application: Application
    left: list[int]
    say: Callable[[str], None]
    advance: Callable[[], None]
    decided: Counter[str] = field(default_factory=Counter)
    """Films by the status that was recorded."""
    troubles: Counter[str] = field(default_factory=Counter)
    """Films that ended without an answer, by the type of their error."""
    parked: dict[int, float] = field(default_factory=dict)
    """Films that are parked, and until when (epoch seconds); with ``waits`` they are asked for then."""
    waits: bool = False
    _failed: dict[int, Match] = field(default_factory=dict)

    async def run(self) -> bool:
        """Decide about the films in ``left``; returns whether the end was reached before the patience ran out."""
        while reached_end := await self._work_off():
            if not (self.waits and self.parked):
                break
            await self._await_reset(min(self.parked.values()))
        return reached_end

    async def _work_off(self) -> bool:
        probing, fruitless = False, 0
        while self.left:
            waiting = len(self.left)
            trouble = await self._round(self.left[:1] if probing else list(self.left))
            if probing:
                fruitless = fruitless + 1 if len(self.left) == waiting else 0
            probing = trouble is not None
            if trouble is None:
                continue
            if fruitless >= PATIENCE:
                await self._give_up(trouble)
                return False
            await self._wait(trouble)
        return True

    async def _round(self, films: Sequence[int]) -> Match | None:
        """Match these films until one is refused by a breaker; record what was answered, return the last trouble."""
        asked: deque[tuple[int, FilmQuery]] = deque()
        trouble: Match | None = None

        async def queries() -> AsyncGenerator[FilmQuery, None]:
            for film in films:
                if trouble is not None and trouble.error_type == "circuit_open":
                    return
                query = await self.application.database.run(film_query, film)
                asked.append((film, query))
                yield query

        async with aclosing(queries()) as stream, aclosing(match_stream(self.application.cascade, stream)) as matches:
            async for found in matches:
                match = truthful(found, self.application.settings.mode)
                film, query = asked.popleft()
                if match.parked_until is not None:
                    await self._park(film, match, query)
                    continue
                if match.error_type not in TRANSIENT:
                    await self._record(film, match, query)
                    self.left.remove(film)
                    continue
                trouble = match
                if match.error_type != "circuit_open":
                    self._postpone(film, match)
        return trouble

    def _postpone(self, film: int, match: Match) -> None:
        """Let the others go first: what failed may be this film's own page."""
        self._failed[film] = match
        self.left.remove(film)
        self.left.append(film)

    async def _park(self, film: int, match: Match, asked: FilmQuery) -> None:
        """Park a film; that is no decision, and no attempt of it counts."""
        await decide(self.application, film, match, asked)
        self._failed.pop(film, None)
        self.left.remove(film)
        self.parked[film] = match.parked_until or self.application.clock.now()

    async def _await_reset(self, until: float) -> None:
        """Wait until then (epoch seconds), and take up the films that may be asked for now."""
        clock = self.application.clock
        self.say(f"{len(self.parked)} films are parked; waiting until {moment(until)}")
        while (seconds := until - clock.now()) > 0:
            await clock.sleep(min(seconds, _NAP))
        self.left = [film for film, due in self.parked.items() if due <= clock.now()]
        for film in self.left:
            del self.parked[film]

    async def _record(self, film: int, match: Match, asked: FilmQuery | None = None) -> None:
        await decide(self.application, film, match, asked)
        self._failed.pop(film, None)
        self.decided[match.status] += 1
        if match.error_type is not None:
            self.troubles[match.error_type] += 1
        self.advance()

    async def _give_up(self, trouble: Match) -> None:
        """Record why the films that were asked for have no answer."""
        self.say(f"{PATIENCE} probes in a row brought nothing ({trouble.error_message or trouble.error_type})")
        self.troubles[trouble.error_type or "unknown"] += 1
        for film, match in list(self._failed.items()):
            await self._record(film, match)

    async def _wait(self, trouble: Match) -> None:
        services = self.application.services
        waits = {name: services.retry_after(name) for name in services.names() if services.breaker_state(name) != "closed"}
        if waits:
            seconds = max(waits.values())
            if isinf(seconds):
                name = max(waits, key=waits.__getitem__)
                raise ConfigurationError(f"the breaker of {name} was opened by hand; reset it, or take its BREAKER_MODE back")
            self.say(f"{' and '.join(waits)}'s breaker is open; waiting {seconds:.0f} s for its next probe")
        else:
            seconds = trouble.retry_after or _PAUSE
            self.say(f"{trouble.error_message or trouble.error_type}; waiting {seconds:.0f} s before the next try")
        await self.application.clock.sleep(seconds)
