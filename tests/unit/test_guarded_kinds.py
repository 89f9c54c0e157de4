"""``@guarded`` on whatever can be called: what is awaited is led within the event loop, what cannot be led is refused."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.errors import ConfigurationError, ServiceError, UnknownError
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door

Outcome = BaseException | int


class Bench:
    """A door without services, and things that can be called and end in these ways, one per attempt."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.clock, self.rows = PatientClock(patient_from=5.0, patience=30.0), Rows()
        self.services: Services = open_door(clock=self.clock, rows=self.rows)
        self._left = list(outcomes)

    async def ask(self) -> int:
        outcome = self._left.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def called(self) -> Any:
        """An object that is called and awaited."""
        bench = self

        class Chat:
            async def __call__(self) -> int:
                return await bench.ask()

        return Chat()

    def bound(self) -> Any:
        return self.ask

    def part(self) -> Any:
        return partial(self.called())

    def returning_a_coroutine(self) -> Any:
        return lambda: self.ask()  # noqa: PLW0108 - a function that is not async is what is tested

    def returning_a_task(self) -> Any:
        return lambda: asyncio.ensure_future(self.ask())

    def guard(self, thing: Any, **options: Any) -> Any:
        return guarded("openai", operation="ask", services=self.services, **options)(thing)


KINDS = [Bench.called, Bench.bound, Bench.part, Bench.returning_a_coroutine, Bench.returning_a_task]


class Later:
    """Something that can be awaited, and whose absence of an awaiter nobody complains of."""

    def __await__(self) -> Iterator[Any]:
        yield from ()

    def again(self) -> Later:
        return self


async def ended(call: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await call()
    except ServiceError as error:
        return error.error_type


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_awaited_is_led_whatever_is_called(kind: Callable[[Bench], Any]) -> None:
    bench = Bench(*[ConnectionResetError("dead")] * 5)
    ask = bench.guard(kind(bench))

    async def work() -> list[Any]:
        return [await ended(ask) for _ in range(6)]

    assert asyncio.run(work()) == ["network_error"] * 5 + ["circuit_open"]
    assert bench.rows.brief == [(False, "network_error", 1)] * 5 + [(False, "circuit_open", 0)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_awaited_is_tried_again_and_leaves_one_row(kind: Callable[[Bench], Any]) -> None:
    bench = Bench(ConnectionResetError("dead"), 7, 8)
    ask = bench.guard(kind(bench), idempotent=True)

    async def work() -> list[Any]:
        return [await ended(ask) for _ in range(2)]

    assert asyncio.run(work()) == [7, 8]
    assert bench.clock.monotonic() == 1.0
    assert bench.rows.brief == [(True, None, 2), (True, None, 1)]


def test_an_object_with_an_async_call_is_a_coroutine_function() -> None:
    bench = Bench()
    assert inspect.iscoroutinefunction(bench.guard(bench.called()))


def test_a_function_that_returned_an_awaitable_once_never_blocks_the_loop_again() -> None:
    bench = Bench(1, 2)
    bench.services.adopt(ServiceSpec("openai", base_url="", rate_per_second=0.5))
    ask = bench.guard(bench.returning_a_coroutine())
    turns = []

    async def other() -> None:
        turns.append(len(bench.rows.all))

    async def work() -> None:
        await ask()
        second = asyncio.ensure_future(ask())
        await asyncio.gather(asyncio.ensure_future(other()), second)

    asyncio.run(work())
    assert turns == [1], "another task had its turn while the second call waited"
    assert bench.rows.brief == [(True, None, 1)] * 2


@pytest.mark.parametrize("is_in_loop", [False, True])
def test_what_returns_an_awaitable_only_now_and_then_is_led_as_it_comes(*, is_in_loop: bool) -> None:
    bench = Bench(1, 3)
    ask = bench.guard(lambda later: bench.ask() if later else 2)

    async def work() -> list[Any]:
        return [await ask(later=True), ask(later=False), await ask(later=True)]

    if is_in_loop:
        assert asyncio.run(work()) == [1, 2, 3]
    else:
        assert [asyncio.run(ask(later=True)), ask(later=False), asyncio.run(ask(later=True))] == [1, 2, 3]
    assert bench.rows.brief == [(True, None, 1)] * 3


def test_one_that_finds_no_place_waits_within_the_loop_and_gives_back_what_it_took() -> None:
    bench = Bench(1, 2, 3)
    bench.services.adopt(ServiceSpec("openai", base_url="", max_concurrent=1))
    ask = bench.guard(bench.returning_a_coroutine())

    async def work() -> list[Any]:
        return [await ask(), *await asyncio.gather(ask(), ask())]

    assert asyncio.run(work()) == [1, 2, 3]
    assert bench.rows.brief == [(True, None, 1)] * 3


def test_an_awaitable_is_bounded_by_the_timeout() -> None:
    bench = Bench()
    bench.services.clock = PatientClock(patience=0.02)

    async def hang() -> None:
        await asyncio.Event().wait()

    ask = guarded(ServiceSpec("slow", base_url="", timeout=2.0), services=bench.services)(lambda: hang())  # noqa: PLW0108

    async def work() -> Any:
        return await ended(ask)

    asyncio.run(work())
    assert bench.rows.brief == [(False, "timeout", 1)]


def test_an_awaitable_that_nobody_awaits_holds_no_place() -> None:
    bench = Bench(1)
    bench.services.adopt(ServiceSpec("openai", base_url="", max_concurrent=1, max_waiting=0))
    bench.guard(Later().again)().close()
    assert asyncio.run(bench.guard(bench.bound())()) == 1
    assert bench.rows.brief == [(True, None, 1)]


def test_a_generator_that_a_function_returns_is_refused() -> None:
    bench = Bench()

    def numbers() -> Iterator[int]:
        yield 1

    with pytest.raises(ConfigurationError, match="guard the generator function itself"):
        bench.guard(lambda: numbers())()  # noqa: PLW0108
    assert bench.rows.all == []


class Unfit:
    """Things that look like functions to a decorator."""

    @staticmethod
    def one() -> int:
        return 1

    @classmethod
    def two(cls) -> int:
        return 2

    @property
    def three(self) -> int:
        return 3


@pytest.mark.parametrize("thing", [Unfit.__dict__["one"], Unfit.__dict__["two"], Unfit.__dict__["three"], Unfit, 4])
def test_what_cannot_be_led_is_refused_at_once(thing: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"@guarded\('openai'\) cannot lead the calls of .*put it on a function"):
        Bench().guard(thing)


def test_a_plain_function_that_fails_oddly_is_still_a_plain_function() -> None:
    bench = Bench()
    with pytest.raises(UnknownError):
        bench.guard(lambda: 1 / 0)()
    assert bench.rows.brief == [(False, "unknown", 1)]
