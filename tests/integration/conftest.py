"""What the tests over sockets and databases stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from cinegraph_core import MetricsSink
from cinegraph_core.storage import Database
from cinegraph_core.tracking import Tracker
from cinegraph_replica.server import ReplicaServer
from tests.support.sinks import Paper, context


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    database.prepare("real")
    yield database
    database.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A prepared database of each kind, for live data."""
    with _opened(database_url) as opened:
        yield opened


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """The same database as another process has it open."""
    with _opened(database_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def replica() -> Iterator[ReplicaServer]:
    """The bundled replica; ``client`` begins it afresh."""
    with ReplicaServer() as running:
        yield running


@pytest.fixture
def client(replica: ReplicaServer) -> Iterator[httpx.Client]:
    """An HTTP client of the replica, whose counts and faults are forgotten."""
    with httpx.Client(base_url=replica.origin, timeout=5) as opened:
        opened.post("/__reset")
        yield opened


@pytest.fixture
def tracking() -> Iterator[Callable[..., Tracker]]:
    """Starts trackers that write to these papers, and closes them."""
    trackers: list[Tracker] = []

    def start(capacity: int = 100_000, **papers: Paper) -> Tracker:
        sinks = {name: MetricsSink(name=name, open=paper.open) for name, paper in papers.items()}
        trackers.append(Tracker(sinks, context(), capacity=capacity, patience=0.3))
        return trackers[-1]

    yield start
    for tracker in trackers:
        tracker.close()


@pytest.fixture
def patient_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls give the shared cache ten times as long to answer, so that a busy machine does not make them ask the service."""
    monkeypatch.setattr("cinegraph_core.services.cache.PATIENCE", 10.0)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes look at the database every 20 ms, not every half second, so that a test need not wait for it."""
    monkeypatch.setattr("cinegraph_core.services.shared.PULSE", 0.02)
