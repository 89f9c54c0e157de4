"""What the whole path of a client costs on a cache miss, without the request itself, beside tenacity alone.

Ours: key, look-up and miss in memory and below, one flight for all who ask, a place among the calls under way, breaker,
quotas of the hour and the day, budget, rate, timeout, deadline, the answer judged, one measurement to the tracker; the
answer says that it is not to be kept. Theirs: the same stub, tried again where it fails. Run it in the environment that
success_path.py describes::

    /tmp/peers/bin/python benchmarks/door/whole_path.py

Pairs alternate, so that what else the machine does falls on both; medians of the rounds.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import tenacity

from cinegraph_core import Answer, Call, ServiceSpec
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import MetricsSink, SinkContext
from cinegraph_core.services import CallGuard, Services, SharedState
from cinegraph_core.services.recall import Recall
from cinegraph_core.services.timing import bounded
from cinegraph_core.settings import load_settings
from cinegraph_core.storage import Database
from cinegraph_core.storage.shared_store import SharedStore
from cinegraph_core.testing import fresh_plugins
from cinegraph_core.tracking import Tracker

ROUNDS = 31
CALLS = 1000
NAME = "films"
HEADERS = {"accept": "*/*", "user-agent": "cinegraph"}
QUERY = "append_to_response=credits&language=en-US"
SPEC = ServiceSpec(
    NAME,
    "https://films.example",
    timeout=5.0,
    deadline=60.0,
    cache_ttl=3600.0,
    hourly_quota=10**9,
    daily_quota=10**9,
    daily_budget_usd=1e6,
    price_per_call_usd=0.000001,
)


class Nowhere:
    """A sink that keeps nothing."""

    def write(self, batch: object) -> None:
        pass

    def close(self) -> None:
        pass


async def stub(number: int) -> Answer:
    return Answer(200, {"cache-control": "no-store"}, b"{}", f"https://films.example/movie/{number}")


@contextmanager
def door(folder: Path) -> Iterator[Services]:
    clock = SystemClock()
    database = Database(f"sqlite:///{folder / 'bench.db'}")
    database.prepare("live")
    shared = SharedState(SharedStore(database), clock)
    tracker = Tracker(
        {"nowhere": MetricsSink("nowhere", lambda _context: Nowhere())}, SinkContext("sqlite://", lambda _batch: None, clock)
    )
    settings = load_settings(directory=Path("/nonexistent"), environ={}, mode="real")
    yield Services(settings, fresh_plugins(SPEC), tracker, clock, shared=shared)
    tracker.close()
    shared.close()
    database.close()


class Miss:
    """One miss after another: no number is asked for twice."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._cache = services.state(NAME).cache
        self._numbers = count()

    async def __call__(self) -> Answer:
        number = next(self._numbers)
        path = f"/movie/{number}"
        key = self._cache.key(path, QUERY, HEADERS)
        assert key is not None
        guard = self._services.begin(Call(NAME, "movie_details", path))

        async def ask(guard: CallGuard) -> Answer:
            return await self._ask(guard, number)

        return await Recall(self._cache, key, path, ask=ask, rebuild=lambda done: done.answer, refresh=lambda: None).lead(guard)

    async def _ask(self, guard: CallGuard, number: int) -> Answer:
        attempt = await self._services.admit(guard)
        with bounded(self._services.clock, attempt.timeout):
            answer = await stub(number)
        guard.answered(attempt, answer)
        return answer


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        await work()
    return (time.perf_counter() - began) / CALLS * 1e6


async def measure(services: Services) -> None:
    ours = Miss(services)
    retried = tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_random_exponential(multiplier=1, max=10))(
        stub
    )

    async def theirs() -> Answer:
        return await retried(1)

    async def bare() -> Answer:
        return await stub(1)

    rounds = [(await timed(ours), await timed(theirs), await timed(bare)) for _ in range(ROUNDS)]
    own = median(mine - floor for mine, _, floor in rounds)
    peer = median(other - floor for _, other, floor in rounds)
    ratio = median((mine - floor) / (other - floor) for mine, other, floor in rounds)
    print(f"whole path on a miss: ours {own:.2f} µs   tenacity alone {peer:.2f} µs   ratio {ratio:.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, door(Path(folder)) as services:
        asyncio.run(measure(services))


if __name__ == "__main__":
    main()
