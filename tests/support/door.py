"""A door of real parts over whatever services a test brings."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cinegraph_core.contracts import Answer, Call, Clock, Replica, ServiceSpec
from cinegraph_core.errors import ServiceError
from cinegraph_core.records import Measurement
from cinegraph_core.services import Services, SharedState
from cinegraph_core.settings import load_settings
from cinegraph_core.storage import Database
from cinegraph_core.storage.shared_store import SharedStore
from cinegraph_core.testing import fresh_plugins

NAME = "films"


class Rows:
    """Keeps what is recorded, in order."""

    def __init__(self) -> None:
        self.all: list[Measurement] = []

    def record(self, measurement: Measurement) -> None:
        self.all.append(measurement)

    @property
    def only(self) -> Measurement:
        (row,) = self.all
        return row

    @property
    def brief(self) -> list[tuple[bool, str | None, int]]:
        """Success, error type and attempts of each row."""
        return [(row.success, row.error_type, row.attempts) for row in self.all]

    @property
    def provenances(self) -> list[tuple[str, int]]:
        """Provenance and attempts of each row."""
        return [(row.provenance, row.attempts) for row in self.all]


class Longest(random.Random):
    """Always draws the highest number, so that a jittered wait is known: 1, 2, 4, 8, 10 …"""

    def uniform(self, a: float, b: float) -> float:
        return b


def open_door(
    *brought: ServiceSpec | Replica,
    clock: Clock,
    rows: Rows,
    mode: str = "real",
    services: Mapping[str, Mapping[str, Any]] | None = None,
    total_budget: float | None = None,
    **options: Any,
) -> Services:
    """Return a door over these services; ``services`` are their settings.

    What is asked twice is sent twice, unless a test sets a ``cache_ttl``.
    """
    given = {one.name: {"cache_ttl": 0.0} for one in brought if isinstance(one, ServiceSpec)}
    for name, own in (services or {}).items():
        given[name] = given.get(name, {}) | dict(own)
    settings = load_settings(directory=Path("/nonexistent"), environ={}, mode=mode, services=given, daily_budget_usd=total_budget)
    return Services(settings, fresh_plugins(*brought), rows, clock, rng=Longest(), **options)


def run_in(services: Services, work: Callable[[], Any]) -> Any:
    """Do work in a loop of its own, and close its clients."""

    async def lead() -> Any:
        try:
            return await work()
        finally:
            await services.aclose()

    return asyncio.run(lead())


class Bench:
    """A door with one service called ``films``, opened by a test and closed with its loop."""

    def __init__(self, services: Services, clock: Clock, rows: Rows) -> None:
        self.services, self.rows = services, rows
        self.clock: Any = clock
        self.client = services.client(NAME)

    async def get(
        self, path: str = "/film", *, absent_ok: bool = False, fresh: bool = False, tags: tuple[str, ...] = (), **params: Any
    ) -> Any:
        call = Call(NAME, "movie_details", "tt0000001", Answer.json, absent_ok, fresh, tags=tags)
        return await self.client.get(path, params=params, call=call)

    def run(self, work: Callable[[], Any]) -> Any:
        """Do this in a loop of its own."""
        return run_in(self.services, work)

    def each(self, *work: Callable[[], Any]) -> list[Any]:
        """Do one thing after the other in one loop; return what came of each, errors of the service too."""

        async def one_by_one() -> list[Any]:
            outcomes = []
            for one in work:
                try:
                    outcomes.append(await one())
                except ServiceError as error:
                    outcomes.append(error)
            return outcomes

        outcomes: list[Any] = self.run(one_by_one)
        return outcomes


@contextmanager
def shared_state(database_url: str, clock: Clock) -> Iterator[SharedState]:
    """What a process shares with the others on a database."""
    database = Database(database_url)
    database.prepare("live")
    shared = SharedState(SharedStore(database), clock)
    try:
        yield shared
    finally:
        shared.close()
        database.close()
