"""``@guarded`` on generators, ``async`` or not: a stream is one call, tried again only before its first part."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.errors import CircuitOpenError, NetworkError, ServiceTimeoutError
from cinegraph_core.resilience.budget import Tokens
from cinegraph_core.services import Services
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door

KINDS = ["sync", "async"]
DEAD = ConnectionResetError("dead")


class Bench:
    """A door, and generators that yield these parts, one list per attempt; an error is raised, a number of seconds passes."""

    def __init__(self, kind: str, clock: FakeClock | None = None) -> None:
        self.kind = kind
        self.clock = clock or FakeClock()
        self.rows = Rows()
        self.services: Services = open_door(clock=self.clock, rows=self.rows)
        self.closed = 0

    def guard(self, *attempts: list[Any], name: str | ServiceSpec = "openai", **options: Any) -> Any:
        left = list(attempts)

        def work(parts: list[Any]) -> Iterator[Any]:
            try:
                for part in parts:
                    if isinstance(part, Exception):
                        raise part
                    if isinstance(part, float):
                        self.clock.advance(part)
                    else:
                        yield part
            finally:
                self.closed += 1

        def stream() -> Iterator[Any]:
            yield from work(left.pop(0))

        async def stream_later() -> AsyncIterator[Any]:
            for part in work(left.pop(0)):
                yield part

        function: Any = stream if self.kind == "sync" else stream_later
        return guarded(name, operation="ask", services=self.services, **options)(function)

    def read(self, stream: Any, each: Callable[[Any], bool] = lambda _part: True) -> list[Any]:
        """Read a stream until ``each`` part is enough, and close it."""
        got: list[Any] = []

        async def later() -> None:
            async with aclosing(stream()) as parts:
                async for part in parts:
                    got.append(part)
                    if not each(part):
                        break

        if self.kind == "async":
            asyncio.run(later())
            return got
        parts = stream()
        for part in parts:
            got.append(part)
            if not each(part):
                break
        parts.close()
        return got


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_one_call(kind: str) -> None:
    bench = Bench(kind)
    assert bench.read(bench.guard(["a", "b", "c"])) == ["a", "b", "c"]
    assert bench.rows.brief == [(True, None, 1)]
    assert bench.read(bench.guard([])) == []
    assert bench.rows.brief[1:] == [(True, None, 1)]


def test_it_is_a_generator_function_of_the_same_kind() -> None:
    assert inspect.isgeneratorfunction(Bench("sync").guard([]))
    assert inspect.isasyncgenfunction(Bench("async").guard([]))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_asked_before_the_first_part_is(kind: str) -> None:
    bench = Bench(kind)
    bench.guard(["a"])()
    assert (bench.rows.all, bench.closed) == ([], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_dead_streams_open_the_breaker(kind: str) -> None:
    bench = Bench(kind)
    for _ in range(5):
        with pytest.raises(NetworkError):
            bench.read(bench.guard([DEAD]))
    with pytest.raises(CircuitOpenError):
        bench.read(bench.guard(["a"]))
    assert bench.rows.brief == [(False, "network_error", 1)] * 5 + [(False, "circuit_open", 0)]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_tried_again_before_the_first_part_only(kind: str) -> None:
    bench = Bench(kind)
    assert bench.read(bench.guard([DEAD], ["a", "b"], idempotent=True)) == ["a", "b"]
    assert bench.clock.slept == [1.0]
    with pytest.raises(NetworkError) as caught:
        bench.read(bench.guard(["a", DEAD], ["never"], idempotent=True))
    assert caught.value.__cause__ is DEAD
    assert bench.clock.slept == [1.0]
    assert bench.rows.brief == [(True, None, 2), (False, "network_error", 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_has_had_enough_ends_the_call_well(kind: str) -> None:
    bench = Bench(kind)
    assert bench.read(bench.guard(["a", "b", "c"]), lambda part: part != "b") == ["a", "b"]
    assert bench.rows.brief == [(True, None, 1)]
    assert bench.closed == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_caller_does_with_a_part_is_neither_the_services_time_nor_its_fault(kind: str) -> None:
    bench = Bench(kind)
    spec = ServiceSpec("slow", base_url="", timeout=5.0, deadline=8.0)

    def take_long(_part: Any) -> bool:
        bench.clock.advance(60.0)
        return True

    assert bench.read(bench.guard([1.0, "a", 2.0, "b"], name=spec), take_long) == ["a", "b"]
    assert bench.rows.only.response_time_ms == 3_000.0
    with pytest.raises(ZeroDivisionError):
        bench.read(bench.guard(["a"]), lambda _part: bool(1 / 0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_part_tells_what_the_stream_cost(kind: str) -> None:
    bench = Bench(kind)
    last = SimpleNamespace(usage=SimpleNamespace(prompt_tokens=11, completion_tokens=7))
    spec = ServiceSpec("openai", base_url="", price_per_million_input_tokens_usd=1.0, price_per_million_output_tokens_usd=1.0)
    bench.read(bench.guard(["a", last], name=spec, tokens=Tokens(100, 100)))
    assert bench.rows.only.metadata["input_tokens"] == 11
    assert bench.rows.only.metadata["output_tokens"] == 7


def test_what_a_generator_returns_reaches_whoever_reads_it_and_tells_what_it_cost() -> None:
    bench = Bench("sync")
    spec = ServiceSpec("openai", base_url="", price_per_million_input_tokens_usd=1.0, price_per_million_output_tokens_usd=1.0)
    answers = [{"usage": {"prompt_tokens": 11, "completion_tokens": 7}}, None]

    @guarded(spec, services=bench.services, tokens=Tokens(100, 100), idempotent=True)
    def stream() -> Generator[Any, None, Any]:
        if not bench.clock.slept:
            raise DEAD
        yield {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}
        return answers.pop(0)

    def read() -> Iterator[Any]:
        yield (yield from stream())

    assert list(read())[-1] == {"usage": {"prompt_tokens": 11, "completion_tokens": 7}}
    assert list(read())[-1] is None
    assert [row.metadata["input_tokens"] for row in bench.rows.all] == [11, 3]


def test_a_generator_may_return_without_a_part() -> None:
    bench = Bench("sync")

    @guarded("openai", services=bench.services)
    def stream() -> Generator[Any, None, str]:
        yield from ()
        return "nothing to say"

    def read() -> Iterator[str]:
        yield (yield from stream())

    assert list(read()) == ["nothing to say"]
    assert bench.rows.brief == [(True, None, 1)]


def test_the_timeout_bounds_the_waits_for_all_parts_together() -> None:
    bench = Bench("async", PatientClock(patience=0.02))

    @guarded(ServiceSpec("slow", base_url="", timeout=2.0), services=bench.services)
    async def drip() -> AsyncIterator[str]:
        yield "a"
        bench.clock.advance(1.5)
        yield "b"
        await asyncio.Event().wait()

    got: list[str] = []

    async def work() -> None:
        async for part in drip():
            got.append(part)

    with pytest.raises(ServiceTimeoutError):
        asyncio.run(work())
    assert (got, bench.clock.monotonic()) == (["a", "b"], 2.0)
    assert bench.rows.brief == [(False, "timeout", 1)]


def test_a_place_is_held_until_the_stream_ends() -> None:
    bench = Bench("sync")
    spec = ServiceSpec("narrow", base_url="", max_concurrent=1)
    parts = bench.guard(["a", "b"], name=spec)()
    assert next(parts) == "a"
    bulkhead = bench.services.state("narrow").bulkhead
    assert bulkhead is not None
    assert not bulkhead.enter()
    assert list(parts) == ["b"]
    assert bulkhead.enter()


def test_a_cancelled_reader_is_no_failure() -> None:
    bench = Bench("async", PatientClock(patience=5.0))

    @guarded("openai", services=bench.services)
    async def hang() -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "never"

    async def read() -> list[str]:
        return [part async for part in hang()]

    async def work() -> None:
        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert bench.rows.brief == [(False, "cancelled", 1)]
