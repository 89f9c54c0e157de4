"""What a call through the door costs beside other libraries, when all is well: microseconds over a bare call of a stub.

Ours is the whole of ``@guarded``: retries with a budget, breaker (consecutive, rate, slow, ramp), hold, rate limit, timeout,
deadline, and one measurement handed to the tracker. Run it in an environment that has the peers::

    python -m venv /tmp/peers
    /tmp/peers/bin/pip install -r requirements/run.txt -r benchmarks/door/requirements.txt
    /tmp/peers/bin/pip install --no-deps -e .
    /tmp/peers/bin/python benchmarks/door/success_path.py

Pairs alternate, so that what else the machine does falls on both; medians of the rounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import circuitbreaker
import interlock
import nopanic
import purgatory
import pybreaker
import pyresilience
import stamina
import tenacity

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import MetricsSink, SinkContext
from cinegraph_core.services import Services
from cinegraph_core.settings import load_settings
from cinegraph_core.testing import fresh_plugins
from cinegraph_core.tracking import Tracker

ROUNDS = 31
CALLS = 3000
TIMEOUT = 5.0

Call = Callable[[], Any]


class Nowhere:
    """A sink that keeps nothing."""

    def write(self, batch: object) -> None:
        pass

    def close(self) -> None:
        pass


def door() -> tuple[Services, Tracker]:
    clock = SystemClock()
    sink = MetricsSink("nowhere", lambda _context: Nowhere())
    tracker = Tracker({"nowhere": sink}, SinkContext("sqlite://", lambda _batch: None, clock))
    settings = load_settings(directory=Path("/nonexistent"), environ={}, mode="real")
    return Services(settings, fresh_plugins(), tracker, clock), tracker


async def stub() -> int:
    return 1


def sync_stub() -> int:
    return 1


def ours(services: Services, function: Any) -> Any:
    spec = ServiceSpec("stub", base_url="", timeout=TIMEOUT, retries=3)
    return guarded(spec, services=services, idempotent=True)(function)


# ------------------------------------------------------------------------------------------------------------ the peers


def nopanic_stack(function: Any, *, bounded: bool) -> Any:
    breaker = nopanic.circuit_breaker(failure_threshold=0.5, min_calls=10, window=30.0, reset_timeout=15.0)
    policies = [nopanic.fallback(None), nopanic.retry(attempts=4, on=ConnectionError), breaker]
    return nopanic.compose(*policies, *([nopanic.timeout(TIMEOUT)] if bounded else []))(function)


def pyresilience_stack(function: Any, *, bounded: bool) -> Any:
    return pyresilience.resilient(
        retry=pyresilience.RetryConfig(max_attempts=4, delay=1.0),
        circuit_breaker=pyresilience.CircuitBreakerConfig(failure_threshold=5),
        fallback=pyresilience.FallbackConfig(handler=lambda _error: None),
        **({"timeout": pyresilience.TimeoutConfig(seconds=TIMEOUT)} if bounded else {}),
    )(function)


def interlock_stack(function: Any, *, bounded: bool) -> Any:
    builder = interlock.Pipeline.builder().fallback(lambda _error: None).retry(attempts=4)
    builder = builder.circuit_breaker(interlock.CircuitBreaker(name=f"stub-{bounded}"))
    return (builder.timeout(TIMEOUT) if bounded else builder).build()(function)


def glued_stack() -> Call:
    """tenacity + purgatory + asyncio.timeout: what people put together."""
    breakers = purgatory.AsyncCircuitBreakerFactory()

    @tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_random_exponential(multiplier=1, max=10))
    @breakers("stub")
    async def glued() -> int:
        async with asyncio.timeout(TIMEOUT):
            return await stub()

    return glued


def glued_sync_stack() -> Call:
    """tenacity + pybreaker."""
    return tenacity.retry(stop=tenacity.stop_after_attempt(4))(pybreaker.CircuitBreaker(fail_max=5)(sync_stub))


ASYNC: dict[str, Call] = {
    "nopanic: fallback, retry, breaker, timeout": nopanic_stack(stub, bounded=True),
    "pyresilience: fallback, retry, breaker, timeout": pyresilience_stack(stub, bounded=True),
    "interlock: fallback, retry, breaker, timeout": interlock_stack(stub, bounded=True),
    "tenacity + purgatory + asyncio.timeout": glued_stack(),
    "tenacity alone": tenacity.retry(stop=tenacity.stop_after_attempt(4))(stub),
    "stamina alone": stamina.retry(on=ConnectionError, attempts=4)(stub),
    "circuitbreaker alone": circuitbreaker.circuit(stub),
}
SYNC: dict[str, Call] = {
    "nopanic: fallback, retry, breaker": nopanic_stack(sync_stub, bounded=False),
    "pyresilience: fallback, retry, breaker": pyresilience_stack(sync_stub, bounded=False),
    "interlock: fallback, retry, breaker": interlock_stack(sync_stub, bounded=False),
    "tenacity + pybreaker": glued_sync_stack(),
    "tenacity alone": tenacity.retry(stop=tenacity.stop_after_attempt(4))(sync_stub),
}

# ------------------------------------------------------------------------------------------------------------ measuring


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        await call()
    return (time.perf_counter() - began) / CALLS * 1e6


def timed_sync(call: Call) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS * 1e6


def say(kind: str, pairs: dict[str, list[tuple[float, float, float]]]) -> None:
    print(f"\n{kind}, {ROUNDS} rounds of {CALLS} calls; µs over a bare call, medians")
    for name, rounds in pairs.items():
        own = median(mine - bare for mine, _, bare in rounds)
        peer = median(theirs - bare for _, theirs, bare in rounds)
        ratio = median((mine - bare) / (theirs - bare) for mine, theirs, bare in rounds)
        print(f"  {name:<50} {peer:7.2f}   ours {own:6.2f}   ratio {ratio:5.2f}")


async def measure(services: Services) -> None:
    mine = ours(services, stub)
    pairs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ASYNC}
    for _ in range(ROUNDS):
        for name, peer in ASYNC.items():
            pairs[name].append((await timed(mine), await timed(peer), await timed(stub)))
    say("async", pairs)


def measure_sync(services: Services) -> None:
    mine = ours(services, sync_stub)
    pairs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in SYNC}
    for _ in range(ROUNDS):
        for name, peer in SYNC.items():
            pairs[name].append((timed_sync(mine), timed_sync(peer), timed_sync(sync_stub)))
    say("sync", pairs)


def main() -> None:
    services, tracker = door()
    asyncio.run(measure(services))
    measure_sync(services)
    tracker.close()


if __name__ == "__main__":
    main()
