"""What counting a call on two quotas and answering one from the cache cost beside other libraries: microseconds a call.

Quota: hour and day, of which every request is taken and settled; ours from a lease, ``limits`` with two fixed windows in
memory. Cache: a hit in memory with its key built, on both sides, for a body of 8 KB; ours as the transport makes it, cashews
as its decorator does. Run it in an environment that has the peers::

    python -m venv /tmp/peers
    /tmp/peers/bin/pip install -r requirements/run.txt
    /tmp/peers/bin/pip install limits==5.8.0 cashews==7.6.0
    /tmp/peers/bin/pip install --no-deps -e .
    /tmp/peers/bin/python benchmarks/door/limits_and_cache.py

Pairs alternate, so that what else the machine does falls on both; medians of the rounds.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cashews
import limits

from cinegraph_core import Answer, ServiceSpec
from cinegraph_core.clock import SystemClock
from cinegraph_core.resilience.cache import Memory
from cinegraph_core.services import SharedState
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.limits import Limits
from cinegraph_core.services.rules import rules_of
from cinegraph_core.storage import Database
from cinegraph_core.storage.shared_store import SharedStore

ROUNDS = 31
CALLS = 3000
BODY = b"x" * 8192
HEADERS = {"accept": "*/*", "accept-encoding": "gzip", "connection": "keep-alive", "user-agent": "cinegraph"}


def per_call(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / CALLS * 1e6


def beside(ours: Callable[[], None], theirs: Callable[[], None]) -> tuple[float, float]:
    """Return the medians of both, measured in turns."""
    rounds = [(per_call(ours), per_call(theirs)) for _ in range(ROUNDS)]
    return median(one for one, _ in rounds), median(other for _, other in rounds)


def quota(folder: Path) -> tuple[float, float]:
    database, clock = Database(f"sqlite:///{folder / 'bench.db'}"), SystemClock()
    database.prepare("live")
    shared = SharedState(SharedStore(database), clock)
    spec = ServiceSpec(name="films", base_url="https://films.example", hourly_quota=10**9, daily_quota=10**9)
    counted = Limits(spec, rules_of(spec, None), clock=clock, shared=shared)

    def ours() -> None:
        for _ in range(CALLS):
            while (lease := counted.take(clock.now())) is None:
                counted.ask().result()
            counted.settle(lease, sent=True)

    limiter = limits.strategies.FixedWindowRateLimiter(limits.storage.MemoryStorage())
    hour, day = limits.RateLimitItemPerHour(10**9), limits.RateLimitItemPerDay(10**9)

    def theirs() -> None:
        for _ in range(CALLS):
            limiter.hit(hour, "films")
            limiter.hit(day, "films")

    measured = beside(ours, theirs)
    shared.close()
    database.close()
    return measured


def cache() -> tuple[float, float]:
    spec = ServiceSpec(name="films", base_url="https://films.example")
    kept = ServiceCache(spec, Memory(), None, SystemClock())
    key = kept.key("/movie/603", "language=en-US&append_to_response=credits", HEADERS)
    assert key is not None
    kept.keep(key, "/movie/603", Answer(200, {}, BODY, "https://films.example/movie/603"), absent=False)

    async def hit() -> None:
        for _ in range(CALLS):
            key = kept.key("/movie/603", "language=en-US&append_to_response=credits", HEADERS)
            entry = await kept.find(key) if key else None
            assert entry is not None
            kept.served(entry)

    theirs = cashews.Cache()
    theirs.setup("mem://")

    @theirs(ttl="1h", key="{path}:{language}:{append_to_response}")
    async def fetch(path: str, language: str, append_to_response: str) -> bytes:  # noqa: ARG001 - they make its key
        return BODY

    async def their_hit() -> None:
        for _ in range(CALLS):
            await fetch("/movie/603", language="en-US", append_to_response="credits")

    loop = asyncio.new_event_loop()
    try:
        return beside(lambda: loop.run_until_complete(hit()), lambda: loop.run_until_complete(their_hit()))
    finally:
        loop.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [("quota check, hour and day", "limits", *quota(Path(folder))), ("cache hit, key built", "cashews", *cache())]
    for what, peer, ours, theirs in rows:
        print(f"{what:28} ours {ours:6.2f} µs   {peer:8} {theirs:6.2f} µs   ratio {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
