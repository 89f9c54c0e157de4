"""The backlog: every film that waits gets its decision, an outage is outlasted, and what cannot be is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.application import Application
from cinegraph_core.backlog import PATIENCE, Backlog
from cinegraph_core.deciding import REFUSALS
from cinegraph_core.matching.stream import IN_FLIGHT
from cinegraph_core.settings import load_settings
from cinegraph_core.storage import Database
from cinegraph_core.storage.controls import take_control
from cinegraph_core.storage.editions import store_edition
from cinegraph_core.storage.films import decision_of, pending_films
from cinegraph_core.storage.state import record_transition
from cinegraph_core.testing import FakeClock
from cinegraph_replica.server import ReplicaServer
from tests.support.editions import ALIASES, NOW, edition, nomination
from tests.support.runs import fault, stats

TITLES = ("The Room Next Door", "Joker: Folie à Deux", "Queer", "Maria", "Babygirl", "No Such Film At All")
BREAKER_WAIT = 60.0
TIMEOUT = 600.0


class _JumpingClock(FakeClock):
    """Passes over every wait at once, but lets an attempt take the real time it needs."""

    async def sleep(self, seconds: float) -> None:
        if seconds >= TIMEOUT:
            await asyncio.Event().wait()
        await super().sleep(seconds)


@pytest.fixture
def replica() -> Iterator[ReplicaServer]:
    with ReplicaServer() as server:
        yield server


def _work(
    tmp_path: Path, replica: ReplicaServer, titles: Sequence[str] = TITLES
) -> tuple[bool, Backlog, list[str], _JumpingClock, dict[str, str | None]]:
    """Store the films, work through the backlog on a clock that jumps, and return all there is to see."""
    url, clock, said = f"sqlite:///{tmp_path / 'films.db'}", _JumpingClock(), list[str]()
    services: dict[str, dict[str, Any]] = {name: {"base_url": base} for name, base in replica.urls.items()}
    services["tmdb"] |= {"api_key": "x", "retries": 0, "breaker_wait": BREAKER_WAIT, "timeout": TIMEOUT, "deadline": 10 * TIMEOUT}
    settings = load_settings(directory=tmp_path, environ={}, mode="real", database_url=url, services=services)

    async def run() -> tuple[bool, Backlog]:
        async with Application.open(settings, clock=clock) as application:
            with application.database.transaction() as session:
                films = [nomination(title, films=[title]) for title in titles]
                store_edition(session, edition(*films), aliases=ALIASES, now=NOW)
                waiting = pending_films(session, now=NOW)
            assert len(waiting) == len(titles)
            backlog = Backlog(application, waiting, said.append, lambda: None)
            return await backlog.run(), backlog

    reached_end, backlog = asyncio.run(run())
    database = Database(url)
    with database.reading() as session:
        ids = range(1, len(titles) + 1)
        decisions = {titles[film - 1]: decision_of(session, film) for film in ids}
        statuses = {title: decision.status if decision else None for title, decision in decisions.items()}
    database.close()
    return reached_end, backlog, said, clock, statuses


def test_every_film_gets_its_decision(tmp_path: Path, replica: ReplicaServer) -> None:
    reached_end, backlog, said, _, statuses = _work(tmp_path, replica)
    assert (reached_end, said, backlog.left) == (True, [], [])
    assert statuses.pop("No Such Film At All") == "not_found"
    assert set(statuses.values()) == {"matched"}
    assert backlog.decided.total() == len(TITLES)


def test_lesson_08_an_outage_is_waited_for_until_the_service_is_back(tmp_path: Path, replica: ReplicaServer) -> None:
    fault(replica.origin, "tmdb", "500", times=6)
    reached_end, backlog, said, clock, statuses = _work(tmp_path, replica)
    assert (reached_end, backlog.left) == (True, [])
    assert backlog.decided["error"] == 0
    assert "error" not in statuses.values()
    assert None not in statuses.values()
    assert all("tmdb's breaker is open; waiting" in sentence for sentence in said)
    assert said
    assert max(clock.slept) <= 2 * BREAKER_WAIT  # a probe that fails doubles the wait


def test_lesson_08_a_service_that_stays_away_ends_the_run_and_decides_nothing(tmp_path: Path, replica: ReplicaServer) -> None:
    fault(replica.origin, "tmdb", "500")
    reached_end, backlog, said, clock, statuses = _work(tmp_path, replica)
    assert not reached_end
    assert set(statuses.values()) <= {"error", None}
    assert backlog.decided.keys() <= {"error"}
    assert sum("waiting" in sentence for sentence in said) == PATIENCE
    assert f"{PATIENCE} probes in a row brought nothing" in said[-1]
    assert clock.monotonic() >= PATIENCE * (BREAKER_WAIT - 1)


def test_a_place_refused_on_the_way_back_is_no_probe_that_failed(tmp_path: Path, replica: ReplicaServer) -> None:
    fault(replica.origin, "tmdb", "500", times=5)
    many = [*TITLES, *(f"No Such Film At All {number}" for number in range(34))]
    reached_end, backlog, said, _, statuses = _work(tmp_path, replica, many)
    assert (reached_end, backlog.left) == (True, [])
    assert "error" not in statuses.values()
    assert not [sentence for sentence in said if "waiting 0 s" in sentence or "keeps failing" in sentence], said


def test_lesson_21_a_probe_that_another_process_has_is_waited_for_and_counts_for_nothing(
    tmp_path: Path, replica: ReplicaServer
) -> None:
    now = FakeClock().now()
    database = Database(f"sqlite:///{tmp_path / 'films.db'}")
    database.prepare("live")
    with database.transaction() as session:
        record_transition(session, "tmdb", "open", changed_at=now - BREAKER_WAIT, retry_at=now)
        take_control(session, "tmdb", "probe", int((now + 9) * 1000), mine=0, now=now)
    database.close()

    reached_end, backlog, said, clock, statuses = _work(tmp_path, replica)
    assert (reached_end, backlog.left) == (True, [])
    assert "error" not in statuses.values()
    assert set(said) == {"tmdb gets few calls until it has proved well; waiting 2 s for the next"}
    assert clock.now() >= now + 9


def test_a_film_whose_own_page_fails_does_not_hold_up_the_others(tmp_path: Path, replica: ReplicaServer) -> None:
    fault(replica.origin, "tmdb", "500", times=1)
    reached_end, backlog, said, _, statuses = _work(tmp_path, replica)
    assert reached_end
    assert backlog.decided["error"] == 0
    assert None not in statuses.values()
    assert len(said) == 1
    assert "waiting 2 s before the next try" in said[0]


def test_a_service_that_refuses_the_key_is_spared_the_rest_of_the_films(tmp_path: Path, replica: ReplicaServer) -> None:
    fault(replica.origin, "tmdb", "401")
    many = [*TITLES, *(f"No Such Film At All {number}" for number in range(94))]
    reached_end, backlog, said, _, statuses = _work(tmp_path, replica, many)
    assert not reached_end
    assert backlog.decided == {"error": REFUSALS}
    assert list(statuses.values()).count("error") == REFUSALS
    assert len(backlog.left) == len(many) - REFUSALS
    (sentence,) = said
    assert "the other films are not asked for before that is mended" in sentence
    assert stats(replica.origin)["tmdb"] <= IN_FLIGHT + REFUSALS
