"""Decides about every stored film that waits, and outlasts a service that is down."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from math import isinf

from cinegraph_core.application import Application
from cinegraph_core.deciding import LockedDoor, decide
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.matching import match_stream
from cinegraph_core.records import FilmQuery, Match
from cinegraph_core.resilience.breaker import BreakerState
from cinegraph_core.services.rules import moment
from cinegraph_core.storage.films import film_query, truthful

PATIENCE = 3
"""Probes in a row that may fail before the rest is left for another time."""
TRANSIENT = frozenset({"bulkhead_full", "circuit_open", "network_error", "rate_limit", "server_error", "timeout"})
"""Errors after which the same film is asked for again in this run."""
_PAUSE = 2.0
"""Seconds before the next try where no service says how long to wait."""
_ROUNDING = 0.01
"""Seconds by which a wait is too long rather than too short: a breaker asked too early is not open anew."""
_NAP = 60.0
"""Seconds after which a wait for a reset looks at the clock again: it may have been set meanwhile."""


@dataclass
class Backlog:
    """Works through the films that wait, each with its decision in one transaction.

    An outage decides nothing. When a service's next probe is due, one film alone is asked for again; the others follow once it
    is answered. A refusal while few calls go (a probe that another process has, the way back) is no probe that failed. A film
    for which a quota or budget leaves no room is parked until that begins anew.
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
    _door: LockedDoor = field(default_factory=LockedDoor)
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
            if self._door.is_locked and trouble is not None:
                self.say(f"{trouble.error_message}; the other films are not asked for before that is mended")
                return False
            if len(self.left) < waiting:
                fruitless = 0
            elif trouble is not None and probing and self._failed_anew(trouble):
                fruitless += 1
            probing = trouble is not None
            if trouble is None:
                continue
            if fruitless >= PATIENCE:
                await self._give_up(trouble)
                return False
            await self._wait(trouble)
        return True

    def _failed_anew(self, trouble: Match) -> bool:
        """Return whether a probe failed, ours or another process's, and was not just refused for want of a place."""
        return trouble.error_type != "circuit_open" or self._breaker_of(trouble) not in ("half_open", "ramp")

    def _breaker_of(self, trouble: Match) -> BreakerState:
        """Return the state of the breaker of the service to blame; ``closed`` if it has none."""
        services = self.application.services
        return services.breaker_state(trouble.service) if trouble.service in services.names() else "closed"

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
                    self._door.note(match)
                    if self._door.is_locked:
                        return match
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
        """Wait until the service to blame may be asked again, and say so; one that a person took out of use never may."""
        name, seconds = trouble.service, _PAUSE
        if self._breaker_of(trouble) == "open":
            seconds = self.application.services.retry_after(name)
            if isinf(seconds):
                raise ConfigurationError(f"the breaker of {name} was opened by hand; reset it, or take its BREAKER_MODE back")
            self.say(f"{name}'s breaker is open; waiting {seconds:.0f} s for its next probe")
        elif trouble.error_type == "circuit_open":
            self.say(f"{name} gets few calls until it has proved well; waiting {seconds:.0f} s for the next")
        else:
            seconds = trouble.retry_after or _PAUSE
            self.say(f"{trouble.error_message or trouble.error_type}; waiting {seconds:.0f} s before the next try")
        await self.application.clock.sleep(seconds + _ROUNDING)
