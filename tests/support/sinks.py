"""Sinks that keep what they are given, and what is given to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cinegraph_core import Measurement, SinkContext
from cinegraph_core.testing import FakeClock


def call(target: str = "tt1", **fields: Any) -> Measurement:
    defaults: dict[str, Any] = {"source": "tmdb", "operation": "find_by_imdb", "success": True}
    return Measurement(target_identifier=target, **(defaults | {"inserted_at": datetime(2026, 1, 2, tzinfo=UTC)} | fields))


@dataclass
class PaperSink:
    """A sink that keeps what it is given."""

    rows: list[Measurement] = field(default_factory=list)

    def write(self, batch: Sequence[Measurement]) -> None:
        self.rows.extend(batch)

    def close(self) -> None:
        pass

    def open(self, context: SinkContext) -> PaperSink:
        return self


class Paper:
    """A sink writer that keeps what it is given; ``trouble`` may raise or wait first."""

    def __init__(self, trouble: Callable[[], object] = lambda: None) -> None:
        self.batches: list[Sequence[Measurement]] = []
        self.threads: set[str] = set()
        self.closed = 0
        self._trouble = trouble

    def write(self, batch: Sequence[Measurement]) -> None:
        self.threads.add(threading.current_thread().name)
        self._trouble()
        self.batches.append(batch)

    def close(self) -> None:
        self.closed += 1

    def open(self, context: SinkContext) -> Paper:
        return self

    @property
    def targets(self) -> list[str]:
        return [measurement.target_identifier for batch in self.batches for measurement in batch]


def context(store: Callable[[Sequence[Measurement]], None] = lambda batch: None) -> SinkContext:
    return SinkContext(database_url="sqlite:///nowhere.db", store=store, clock=FakeClock())


def fail() -> None:
    raise OSError("the disk is full")
