"""A caller that gives up while the database is asked is no fault of the database; on both kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from cinegraph_core.contracts import Call
from cinegraph_core.services.probes import ProbeLease
from cinegraph_core.services.shared import SharedState
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.testing import FakeClock
from tests.support.door import NAME, shared_state
from tests.support.together import probe, process, sick
from tests.support.waiting import busy, looked

pytestmark = pytest.mark.usefixtures("often")


def give_up(shared: SharedState, asked: Callable[[], Any]) -> None:
    """Ask while the thread is busy, and give up before it comes to it."""

    async def impatient() -> None:
        with busy(shared), suppress(TimeoutError):
            await asyncio.wait_for(asyncio.ensure_future(asked()), 0.01)

    asyncio.run(impatient())
    assert looked(shared)


@pytest.fixture
def shared(database_url: str) -> Iterator[SharedState]:
    with shared_state(database_url, FakeClock()) as opened:
        yield opened


def test_a_question_nobody_waits_for_is_not_asked_and_no_alarm(
    database_url: str, shared: SharedState, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[object] = []
    give_up(shared, lambda: shared.ask(asked.append))
    assert asked == []
    assert asyncio.run(shared.ask(lambda _: "an answer")) == "an answer"
    database = Database(database_url)
    with database.reading() as session:
        assert list(recent_actions(session)) == []
    database.close()
    assert "cannot be reached" not in caplog.text


def test_a_probe_nobody_waits_for_is_not_claimed_and_no_alarm(shared: SharedState, caplog: pytest.LogCaptureFixture) -> None:
    one, other = (ProbeLease(NAME, 15.0, shared.clock, shared) for _ in range(2))

    async def claim() -> object:
        return await asyncio.wrap_future(one.claim())

    give_up(shared, claim)
    assert "cannot be" not in caplog.text
    assert other.claim().result(5.0) is None


def test_a_probe_given_up_while_it_is_claimed_is_free_for_the_others(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        sick(one, other)
        guard = one.services.begin(Call(NAME, "request", "/"))
        guard.attempt()
        assert guard.state.probes is not None
        assert guard.state.probes.claim().result(5.0) is None
        guard.abandon(asyncio.CancelledError())
        assert looked(one.shared)
        probe(other)
