"""Takes measurements from anywhere and hands them to the sinks, in the background.

The caller never waits and never fails because of it. One daemon thread gathers batches and gives each to every sink; a
sink that breaks is counted and, when it keeps breaking, left out, and the others go on.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from cinegraph_core.contracts import MetricsSink, SinkContext
from cinegraph_core.records import Measurement
from cinegraph_core.tracking.outlet import Outlet
from cinegraph_core.tracking.shutdown import guard, release

log = logging.getLogger(__name__)
BATCH = 1000
"""Measurements that one write takes at most."""
LINGER = 0.1
"""Seconds a batch waits at most for more."""
CAPACITY = 100_000
"""Measurements waiting at most; what comes on top is dropped and counted, so that memory stays bounded."""
DRAIN = 60.0
"""Seconds :meth:`Tracker.close` waits at most: twice SQLite's patience with a locked database."""


class Tracker:
    """One per process. ``record`` may be called from any thread, from an event loop and from a signal handler."""

    def __init__(self, sinks: Mapping[str, MetricsSink], context: SinkContext, *, capacity: int = CAPACITY) -> None:
        self._outlets = [Outlet(sink, context) for sink in sinks.values()]
        self._capacity = capacity
        self._queue: queue.SimpleQueue[Measurement | threading.Event | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self.dropped = 0
        """Measurements that never reached the sinks: too many at once, or after the end."""
        self._worker = threading.Thread(target=self._work, name="cinegraph-tracker", daemon=True)
        self._worker.start()
        guard(self.close)

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
        """Wait until all that was recorded so far has been given to the sinks; returns whether that was in time (seconds)."""
        if not self._worker.is_alive():
            return True
        written = threading.Event()
        self._queue.put(written)
        return written.wait(timeout)

    def close(self) -> None:
        """Give the sinks what is left, then let go of them; more than once does no harm."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
            self._worker.join(DRAIN)
            if self._worker.is_alive():
                log.error("a metrics sink hangs: about %d measurements are lost", self._queue.qsize())
        release(self.close)

    def _drop(self) -> None:
        if self.dropped == 0:
            log.warning("measurements are dropped: %s", "the tracker is closed" if self._closed else "the sinks are too slow")
        self.dropped += 1

    def _work(self) -> None:
        for batch, written in self._batches():
            for outlet in self._outlets:
                outlet.write(batch)
            if written is not None:
                written.set()
        for outlet in self._outlets:
            outlet.close()

    def _batches(self) -> Iterator[tuple[Sequence[Measurement], threading.Event | None]]:
        """Yield batches until the end, each with the flush that waits for it, if one does."""
        while True:
            item = self._queue.get()
            batch: list[Measurement] = []
            until = time.monotonic() + LINGER
            while isinstance(item, Measurement):
                batch.append(item)
                if len(batch) == BATCH:
                    break
                try:
                    item = self._queue.get(timeout=max(0.0, until - time.monotonic()))
                except queue.Empty:
                    break
            yield batch, item if isinstance(item, threading.Event) else None
            if item is None:
                return
