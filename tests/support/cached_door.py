"""A door that keeps what it was answered, with or without a database below."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cinegraph_core.contracts import Credentials, ServiceSpec
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, Rows, open_door, shared_state
from tests.support.fault_server import FaultServer
from tests.support.waiting import within

KEY = "canary-77aa"
SPEC = ServiceSpec(name=NAME, base_url="https://films.example/3", authenticate=lambda key: Credentials(params={"api_key": key}))


def bench_of(base_url: str, *given: Any, mode: str = "real", **settings: Any) -> Bench:
    clock, rows = settings.pop("clock", None) or PatientClock(patient_from=5.0, patience=10.0), Rows()
    options = {name: settings.pop(name) for name in list(settings) if name == "shared"}
    own = {"base_url": base_url, "retries": 0, "api_key": KEY, "cache_ttl": 100.0, **settings}
    return Bench(open_door(SPEC, *given, clock=clock, rows=rows, mode=mode, services={NAME: own}, **options), clock, rows)


def in_turn(bench: Bench, server: FaultServer, *asking: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Ask the first, and the others together when its request has arrived; return what came of each."""

    async def work() -> list[Any]:
        arrived = len(server.received)
        first = asyncio.ensure_future(asking[0]())
        assert await asyncio.to_thread(within, 1.0, lambda: len(server.received) > arrived)
        return await asyncio.gather(first, *(one() for one in asking[1:]))

    (told,) = bench.each(work)
    return list(told)


@contextmanager
def shared_bench(database_url: str, base_url: str, **settings: Any) -> Iterator[Bench]:
    with shared_state(database_url, PatientClock()) as shared:
        yield bench_of(base_url, shared=shared, **settings)
