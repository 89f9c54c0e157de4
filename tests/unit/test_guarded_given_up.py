"""A guarded function given up from outside: it leaves its row, and counts as an attempt only once it has been called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.errors import RateLimitError
from cinegraph_core.services import Services
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door


class Bench:
    """A door without services; a wait of two seconds lasts until it is cancelled."""

    def __init__(self) -> None:
        self.clock, self.rows = PatientClock(patient_from=2.0, patience=5.0), Rows()
        self.services: Services = open_door(clock=self.clock, rows=self.rows)

    def guard(self, function: Any, **spec: Any) -> Any:
        return guarded(ServiceSpec("openai", base_url="", **spec), services=self.services, idempotent=True)(function)


async def given_up(call: Callable[[], Any]) -> None:
    """Call, and cancel the call a moment later."""
    task = asyncio.ensure_future(call())
    await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def hang() -> None:
    await asyncio.Event().wait()


async def fine() -> None:
    pass


def test_a_cancelled_call_is_no_failure_and_leaves_its_row() -> None:
    bench = Bench()

    async def work() -> None:
        for _ in range(8):
            await given_up(bench.guard(hang))

    asyncio.run(work())
    assert bench.rows.brief == [(False, "cancelled", 1)] * 8
    assert bench.services.breaker_state("openai") == "closed"


def test_a_call_given_up_while_it_waits_for_its_turn_is_no_attempt() -> None:
    bench = Bench()
    ask = bench.guard(fine, rate_per_second=0.2)

    async def work() -> None:
        await ask()
        await given_up(ask)

    asyncio.run(work())
    assert bench.rows.brief == [(True, None, 1), (False, "cancelled", 0)]


def test_a_call_given_up_while_its_second_attempt_waits_has_made_one() -> None:
    bench = Bench()

    async def refuse() -> None:
        raise RateLimitError(retry_after=1.0)

    asyncio.run(given_up(bench.guard(refuse, rate_per_second=0.2)))
    assert bench.clock.slept[-1] > 2.0, "it has waited for what it was asked to, and waits for its turn"
    assert bench.rows.brief == [(False, "cancelled", 1)]


def test_ctrl_c_while_a_function_waits_for_its_turn_is_no_attempt() -> None:
    bench = Bench()
    ask = bench.guard(lambda: 1, rate_per_second=0.5)
    ask()

    class Interrupted(FakeClock):
        def pause(self, seconds: float) -> None:
            raise KeyboardInterrupt

    bench.services.clock = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        ask()
    assert bench.rows.brief == [(True, None, 1), (False, "cancelled", 0)]


def test_ctrl_c_in_a_function_passes_and_leaves_its_row() -> None:
    bench = Bench()

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.guard(interrupted)()
    assert bench.rows.brief == [(False, "cancelled", 1)]
