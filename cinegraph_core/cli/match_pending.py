"""``cinegraph match --pending``: decides about every stored film that waits, and outlasts a service that is down."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from cinegraph_core.application import Application
from cinegraph_core.matching import match_stream
from cinegraph_core.records import FilmQuery, Match
from cinegraph_core.storage.films import film_query, record_decision

PATIENCE = 3
"""Probes in a row that may bring nothing before the rest is left for another time."""


@dataclass
class Backlog:
    """Works through the films that wait, each with its decision in one transaction.

    A film refused by an open breaker is not decided: when the service's next probe is due it is asked for again, alone,
    and the others follow once that was answered.
    """

    application: Application
    left: list[int]
    say: Callable[[str], None]
    advance: Callable[[], None]
    decided: Counter[str] = field(default_factory=Counter)
    """Films by the status that was recorded."""

    async def run(self) -> bool:
        """Decide about the films in ``left``; returns whether all were decided before the patience ran out."""
        fruitless = 0
        while self.left:
            refused = await self._round(self.left[:1] if fruitless else list(self.left), probing=fruitless > 0)
            if refused is None:
                fruitless = 0
                continue
            fruitless += 1
            if fruitless > PATIENCE:
                self.say(f"{PATIENCE} probes in a row brought nothing ({refused.error_message or refused.error_type})")
                return False
            await self._wait(refused)
        return True

    async def _round(self, films: Sequence[int], *, probing: bool) -> Match | None:
        """Match these films until one is refused; record what was answered, return the last refusal."""
        asked: deque[int] = deque()
        refused: Match | None = None

        async def queries() -> AsyncGenerator[FilmQuery, None]:
            for film in films:
                if refused is not None:
                    return
                asked.append(film)
                yield await self.application.database.run(film_query, film)

        async with aclosing(queries()) as stream, aclosing(match_stream(self.application.cascade, stream)) as matches:
            async for match in matches:
                film = asked.popleft()
                if match.error_type == "circuit_open" or (probing and match.status == "error"):
                    refused = match
                else:
                    await self._record(film, match)
        return refused

    async def _record(self, film: int, match: Match) -> None:
        application = self.application
        record = partial(record_decision, mode=application.settings.mode, now=application.clock.now())
        await application.database.run(record, film, match)
        self.left.remove(film)
        self.decided[match.status] += 1
        self.advance()

    async def _wait(self, refused: Match) -> None:
        services = self.application.services
        waits = {name: services.retry_after(name) for name in services.names() if services.breaker_state(name) != "closed"}
        seconds = max(waits.values(), default=refused.retry_after or 0.0)
        who = " and ".join(waits) or "a service"
        self.say(f"{who}'s breaker is open; waiting {seconds:.0f} s for its next probe")
        await self.application.clock.sleep(seconds)
