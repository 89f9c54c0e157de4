"""The deadline bounds a call with all its waits: for the database, for another caller, and in hybrid mode for both sides."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import ServiceTimeoutError
from tests.support.door import NAME, Rows, open_door, run_in, shared_state
from tests.support.fault_server import FaultServer, answer, hang
from tests.support.waiting import looked

LOCKED = 20.0
"""Seconds for which another program holds the database: many times the deadlines here."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold SQLite's write lock, as another program might."""
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=LOCKED)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(LOCKED, other.rollback)
    release.start()
    try:
        yield
    finally:
        release.cancel()
        release.join()
        other.rollback()
        other.close()


async def timed(work: Any) -> tuple[Any, float]:
    began = time.monotonic()
    try:
        outcome: Any = (await work).status_code
    except ServiceTimeoutError as error:
        outcome = error
    return outcome, time.monotonic() - began


@pytest.mark.parametrize(
    ("settings", "outcome"), [({"daily_quota": 100}, ServiceTimeoutError), ({"cache_ttl": 100.0}, int)], ids=["quota", "cache"]
)
def test_a_database_that_does_not_answer_holds_nobody_beyond_the_deadline(
    server: FaultServer, tmp_path: Path, settings: dict[str, Any], outcome: type
) -> None:
    server.plan("/film", answer())
    file, rows = tmp_path / "shared.db", Rows()
    with shared_state(f"sqlite:///{file}", SystemClock()) as shared:
        given = {"base_url": server.url, "deadline": 1.5, "timeout": 1.0, "cache_ttl": 0.0, **settings}
        services = open_door(
            ServiceSpec(NAME, "https://films.example"), clock=SystemClock(), rows=rows, services={NAME: given}, shared=shared
        )
        services.state(NAME)
        told: list[tuple[Any, float]] = []

        async def ask() -> None:
            told.append(await timed(services.http_client(NAME).get("/film")))

        assert looked(shared), "the cache knows what is kept, and the door's thread holds nothing itself"
        with locked(file):
            # A write that waits for the lock stands before everything else on the thread that speaks with the database.
            shared.say(NAME, "spent_until", 0)
            run_in(services, ask)
    ((came, seconds),) = told
    assert isinstance(came, outcome), came
    assert seconds < LOCKED / 2
    assert len(rows.all) == 1


def test_who_waits_for_another_caller_waits_no_longer_than_its_deadline(server: FaultServer) -> None:
    server.plan("/film", hang)
    rows, told = Rows(), []
    services = open_door(
        ServiceSpec(NAME, "https://films.example", retries=0),
        clock=SystemClock(),
        rows=rows,
        services={NAME: {"base_url": server.url, "cache_ttl": 100.0, "timeout": 1.0, "deadline": 1.0}},
    )

    async def ask() -> None:
        client = services.http_client(NAME)
        *leaders, last = (asyncio.ensure_future(timed(client.get("/film"))) for _ in range(11))
        for leader in leaders:
            await asyncio.wait({last}, timeout=0.8)
            leader.cancel()
        told.append(await last)

    run_in(services, ask)
    ((came, seconds),) = told
    assert isinstance(came, ServiceTimeoutError)
    assert seconds < 8.0, "ten leaders may give up after 0.8 s each"
