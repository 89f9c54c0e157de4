"""A process with a door of its own that does what it is told: one JSON object a line, each answered by one line.

Orders may overlap, so that time can pass while a call is under way: ``python -m tests.support.door_process``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cinegraph_core.contracts import Answer, Call
from cinegraph_core.errors import ServiceError
from tests.support.clocks import PatientClock
from tests.support.crawling import opened
from tests.support.manners import SPEC, TIMEOUT

NAME = SPEC.name


class House:
    """An application that is opened anew for each test."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._calls: set[asyncio.Task[str | None]] = set()
        self.ended = 0

    async def open(self, database_url: str, base_url: str, **settings: Any) -> None:
        await self.close()
        self.clock = PatientClock(patience=20.0)
        given = {NAME: {"base_url": base_url, "retries": 0, "cache_ttl": 0, **settings}}
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        house = opened(folder, SPEC, clock=self.clock, database_url=database_url, services=given)
        self.application, self.sink = self._stack.enter_context(house)
        self.services = self.application.services
        self.services.state(NAME)

    async def close(self) -> None:
        if hasattr(self, "application"):
            await self.services.aclose()
        self._stack.close()

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def look(self) -> dict[str, Any]:
        slept = [seconds for seconds in self.clock.slept if seconds > TIMEOUT]  # shorter ones bound attempts
        retry_after = self.services.retry_after(NAME)
        return {"state": self.services.breaker_state(NAME), "retry_after": retry_after, "slept": slept, "ended": self.ended}

    async def rows(self) -> list[str | None]:
        self.application.tracker.flush()
        return [row.error_type for row in self.sink.rows]

    async def call(self) -> str | None:
        """Make one call; return its error type."""
        outcome = await self._watched()
        # What the call left to be written is written now, so that another process may go on from it.
        await self.application.shared.ask(lambda _store: None)
        return outcome

    async def crowd(self, callers: int) -> dict[str, int]:
        """Let many call at once; return how many ended in which error."""
        self.ended = 0
        outcomes = await asyncio.gather(*(self._watched() for _ in range(callers)))
        return Counter(str(outcome) for outcome in outcomes)

    async def cancel(self) -> None:
        """Give up every call under way."""
        for task in self._calls:
            task.cancel()

    async def _watched(self) -> str | None:
        task = asyncio.ensure_future(self._get())
        self._calls.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            return "cancelled"
        finally:
            self._calls.discard(task)
            self.ended += 1

    async def _get(self) -> str | None:
        try:
            await self.services.client(NAME).get("/film", call=Call(NAME, "movie_details", "tt1", Answer.json))
        except ServiceError as error:
            return error.error_type
        return None


async def serve() -> None:
    house, loop = House(), asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()

    async def obey(number: int, order: str, given: dict[str, Any]) -> None:
        said = await getattr(house, order)(**given)
        print(json.dumps([number, said]), flush=True)

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = asyncio.ensure_future(obey(*json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    await house.close()


if __name__ == "__main__":
    asyncio.run(serve())
