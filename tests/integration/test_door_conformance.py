"""What breakers measured side by side got wrong, asked of ours by callers of each manner: one after the other, async, threads,
and two processes on one database.

The table is the one by which seven libraries were compared: most let a hundred callers through at half-open, never trip on
four failures of five or on slowness, close on a success of before the trip, or count a caller's own cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cinegraph_core.errors import RateLimitError, ServiceError
from tests.support.manners import InTurn, Manner, Tasks, Threads
from tests.support.processes import Pair, Processes

ALONE: dict[str, type[Manner]] = {"sync": InTurn, "async": Tasks, "threads": Threads}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two processes; starting them takes longer than a test."""
    with Pair() as running:
        yield running


@pytest.fixture(params=[*ALONE, "two processes on sqlite", "two processes on postgresql"])
def callers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manner]:
    if request.param in ALONE:
        yield ALONE[request.param]()
        return
    url = f"sqlite:///{tmp_path / 'shared.db'}" if "sqlite" in request.param else request.getfixturevalue("postgres_url")
    with Processes(request.getfixturevalue("pair"), url) as processes:
        yield processes


def test_lesson_21_of_a_hundred_at_half_open_one_reaches_the_sick_service(callers: Manner) -> None:
    callers.trip()
    callers.advance(60.0)
    callers.crowd(ConnectionResetError())
    assert (callers.reached, callers.refused, callers.state) == (1, 99, "open")


def test_lesson_21_of_a_hundred_at_half_open_one_reaches_the_healthy_service(callers: Manner) -> None:
    callers.trip()
    callers.advance(60.0)
    callers.crowd(None)
    assert (callers.reached, callers.refused, callers.state) == (1, 99, "half_open")


def test_a_service_that_fails_four_times_of_five_is_left_alone(callers: Manner) -> None:
    callers.calls("FFFFs" * 40)
    assert (callers.reached, callers.refused, callers.state) == (20, 180, "open")


def test_a_service_that_grows_slow_is_left_alone(callers: Manner) -> None:
    for _ in range(30):
        with suppress(ServiceError):
            callers.call(meanwhile=lambda: callers.advance(5.1))
    assert (callers.reached, callers.refused, callers.state) == (20, 10, "open")


def test_lesson_21_a_success_of_before_the_trip_does_not_close_it(callers: Manner) -> None:
    callers.call(meanwhile=callers.trip)
    assert callers.state == "open"


def test_eight_cancelled_callers_are_no_failures(callers: Manner) -> None:
    for _ in range(8):
        with pytest.raises((KeyboardInterrupt, asyncio.CancelledError)):
            callers.call(asyncio.CancelledError())
    assert callers.state == "closed"
    assert callers.ended_as == {"cancelled"}


def test_a_cancelled_probe_does_not_leave_it_stuck(callers: Manner) -> None:
    callers.trip()
    callers.advance(60.0)
    with pytest.raises((KeyboardInterrupt, asyncio.CancelledError)):
        callers.call(asyncio.CancelledError())
    callers.calls("ss")
    assert (callers.reached, callers.refused, callers.state) == (3, 0, "ramp")


def test_recovery_is_gradual_and_a_relapse_waits_longer(callers: Manner) -> None:
    callers.hurry()
    callers.trip()
    callers.advance(60.0)
    callers.calls("ss")
    callers.crowd(None)
    assert 2 < callers.reached <= 2 + 15
    assert callers.refused >= 85
    assert callers.state == "ramp"
    while callers.state == "ramp":
        callers.advance(2.0)
        callers.calls("F")
    shortest, longest = callers.second_wait
    assert shortest <= round(callers.retry_after, 3) <= longest


def test_a_hold_is_kept_without_sleeping_and_is_no_failure(callers: Manner) -> None:
    for _ in range(8):
        with pytest.raises(RateLimitError):
            callers.call(RateLimitError("slow down", retry_after=3600.0))
    assert (callers.reached, callers.state, callers.slept) == (1, "closed", [])
    callers.advance(3600.0)
    callers.calls("s")
    assert callers.reached == 2
