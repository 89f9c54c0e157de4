"""A breaker in shadow mode over real HTTP: it takes note, and no call is refused, delayed or cut short for it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.support.cached_door import bench_of
from tests.support.clocks import PatientClock
from tests.support.door import NAME
from tests.support.fault_server import FaultServer, answer

CROWD = 10


def test_calls_with_retries_and_a_short_deadline_feel_nothing_of_a_breaker_in_shadow(server: FaultServer) -> None:
    server.plan("/film", answer(503), answer())
    clock = PatientClock(patience=0.5)
    settings: dict[str, Any] = {"breaker_mode": "shadow", "breaker_failures": 1, "retries": 1, "cache_ttl": 0.0}
    bench = bench_of(server.url, clock=clock, timeout=1.0, deadline=1.3, **settings)

    async def work() -> tuple[list[httpx.Response], float]:
        http = bench.services.http_client(NAME)
        await http.get("/film")
        assert bench.services.breaker_state(NAME) == "open"
        clock.advance(60.0)
        for _ in range(2):
            await http.get("/film")
        assert bench.services.breaker_state(NAME) == "ramp"
        began = clock.monotonic()
        return await asyncio.gather(*(http.get("/film") for _ in range(CROWD))), clock.monotonic() - began

    responses, waited = bench.run(work)
    assert [response.status_code for response in responses] == [200] * CROWD
    assert waited == 0.0
    assert bench.rows.brief == [(True, None, 2)] + [(True, None, 1)] * (2 + CROWD)
    shadowed = [dict(row.metadata).get("shadowed") for row in bench.rows.all]
    assert shadowed.count(1) == 1 + CROWD - 5, "the retry, and those for whom the ramp had no place"
