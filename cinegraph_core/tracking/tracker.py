"""Takes measurements from anywhere and hands them to the sinks, in the background.

The caller never waits and never fails because of it. One daemon thread gathers batches and gives each to every sink; for a
sink that fails they wait, in bounded number, until it takes them, and the others go on.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cinegraph_core.contracts import MetricsSink, SinkContext
from cinegraph_core.records import Measurement
from cinegraph_core.tracking.outlet import BATCH, Outlet
from cinegraph_core.tracking.shutdown import guard, release

log = logging.getLogger(__name__)
LINGER = 0.1
"""Seconds a batch waits for more, unless it is full or somebody waits for it."""
CAPACITY = 100_000
"""Measurements waiting at most; what comes on top is dropped and counted, so that memory stays bounded."""
DRAIN = 60.0
"""Seconds :meth:`Tracker.close` waits at most: twice SQLite's patience with a locked database."""
LAST_TRIES = 5.0
"""Seconds :meth:`Tracker.close` goes on trying a sink that fails."""
_HURRY, _LONGEST_HURRY = 0.05, 1.0
"""Seconds between tries while somebody waits for them; doubling."""


@dataclass(frozen=True)
class _Flush:
    """Somebody waits until everything before this is written, but no longer than ``until`` (monotonic seconds)."""

    until: float
    written: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Traffic:
    """How many calls (those that were given up left out) and HTTP requests a process has recorded, by service."""

    calls: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)

    def count(self, batch: Sequence[Measurement]) -> None:
        """Count the calls among measurements."""
        for row in batch:
            if row.kind == "call":
                self.calls[row.source] += row.error_type != "cancelled"
                self.requests[row.source] += row.attempts


class _Close:
    """Nothing comes after this."""


class Tracker:
    """One per process. ``record`` may be called from any thread, from an event loop and from a signal handler."""

    def __init__(
        self,
        sinks: Mapping[str, MetricsSink],
        context: SinkContext,
        *,
        capacity: int = CAPACITY,
        patience: float = LAST_TRIES,
    ) -> None:
        self._outlets = [Outlet(sink, context, capacity=capacity) for sink in sinks.values()]
        self.traffic = Traffic()
        self._capacity = capacity
        self._patience = patience
        self._queue: queue.SimpleQueue[Measurement | _Flush | _Close] = queue.SimpleQueue()
        self._urgent = threading.Event()
        self._closed = False
        self._closing = threading.Lock()
        self._turned_away = 0
        self._worker = threading.Thread(target=self._work, name="cinegraph-tracker", daemon=True)
        self._worker.start()
        guard(self.close)

    @property
    def lost(self) -> dict[str, int]:
        """How many measurements each sink will never have: too many at once, after the end, or never taken."""
        return {outlet.name: self._turned_away + outlet.lost for outlet in self._outlets}

    @property
    def sink_errors(self) -> dict[str, int]:
        """How many writes each sink failed."""
        return {outlet.name: outlet.errors for outlet in self._outlets}

    def record(self, measurement: Measurement) -> None:
        """Take a measurement; never raises and never waits."""
        if self._closed or self._queue.qsize() >= self._capacity:
            self._drop()
            return
        self._queue.put(measurement)

    def flush(self, timeout: float = DRAIN) -> bool:
        """Wait until every sink has all that was recorded so far; returns whether that came true in time (seconds)."""
        if not self._worker.is_alive():
            return True
        flush = _Flush(time.monotonic() + timeout)
        self._queue.put(flush)
        self._urgent.set()
        return flush.written.wait(timeout)

    def close(self) -> None:
        """Give the sinks what is left, then let go of them; more than once does no harm."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(_Close())
                self._urgent.set()
            self._worker.join(DRAIN)
            if self._worker.is_alive():
                log.error("a metrics sink hangs: about %d measurements are lost", self._queue.qsize())
        release(self.close)

    def _drop(self) -> None:
        if self._turned_away == 0:
            log.warning("measurements are dropped: %s", "the tracker is closed" if self._closed else "the sinks are too slow")
        self._turned_away += 1

    def _work(self) -> None:
        request: _Flush | _Close | None = None
        while not isinstance(request, _Close):
            batch, request = self._batch()
            self.traffic.count(batch)
            for outlet in self._outlets:
                outlet.take(batch)
                outlet.deliver()
            if isinstance(request, _Flush) and self._deliver_all(request.until):
                request.written.set()
        self._deliver_all(time.monotonic() + self._patience)
        for outlet in self._outlets:
            outlet.close()

    def _deliver_all(self, until: float) -> bool:
        """Try every sink until it has everything, or the time is up; returns whether it has."""
        pause = _HURRY
        while True:
            for outlet in self._outlets:
                outlet.deliver(at_once=True)
            if not any(outlet.waiting for outlet in self._outlets):
                return True
            if time.monotonic() + pause > until:
                return False
            time.sleep(pause)
            pause = min(_LONGEST_HURRY, pause * 2)

    def _batch(self) -> tuple[list[Measurement], _Flush | _Close | None]:
        """Return the next measurements, none if it is time to try a sink again, and the request that came behind them."""
        batch: list[Measurement] = []
        due = min((outlet.retry_at for outlet in self._outlets if outlet.retry_at is not None), default=None)
        try:
            item = self._queue.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
            if self._queue.qsize() < BATCH:
                # Waking this thread for each measurement would cost the caller more than all the rest.
                self._urgent.wait(LINGER if due is None else min(LINGER, max(0.0, due - time.monotonic())))
            while isinstance(item, Measurement):
                batch.append(item)
                if len(batch) == BATCH:
                    return batch, None
                item = self._queue.get_nowait()
        except queue.Empty:
            return batch, None
        self._urgent.clear()
        return batch, item
