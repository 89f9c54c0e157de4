"""One sink as the tracker sees it: opened late, isolated, and given again what it did not take.

A sink that fails is either away for a while or was given a measurement it cannot take. To find out which, the refused batch is
written again one by one. If others succeed, the one that keeps failing is dropped; if none does, all wait, and the sink is
tried again after growing pauses. A sink that writes half a batch and then raises gets that half twice: losing nothing comes
first.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from cinegraph_core.contracts import MetricsSink, SinkContext, SinkWriter
from cinegraph_core.records import Measurement

log = logging.getLogger(__name__)
BATCH = 1000
"""Measurements that one write takes at most."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until a sink that is away is tried again; the pause doubles with each failure."""
STRIKES = 3
"""So often a measurement must have failed alone, with others written since, before it is left out."""


class Outlet:
    """A sink with what waits for it; used from the tracker's thread only, the counters may be read from any.

    ``errors`` counts failed writes, ``lost`` the measurements this sink will never have, ``waiting`` those it has not yet.
    """

    def __init__(
        self, sink: MetricsSink, context: SinkContext, *, capacity: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = sink.name
        self.errors = 0
        self.lost = 0
        self.retry_at: float | None = None
        """When the sink is tried again (monotonic seconds), ``None`` while it is well."""
        self._sink = sink
        self._context = context
        self._capacity = capacity
        self._clock = clock
        self._writer: SinkWriter | None = None
        self._backlog: deque[Measurement] = deque()
        self._size = BATCH
        self._pause = FIRST_PAUSE
        self._troubled = False
        self._written_since_trouble = 0
        self._stumbles = 0
        """How many tries in a row failed with a single measurement."""
        self._strikes: dict[int, int] = {}
        """How often a measurement, by its identity, failed alone."""
        self._reason: Exception | None = None

    @property
    def waiting(self) -> int:
        """How many measurements the sink has not taken yet."""
        return len(self._backlog)

    def take(self, batch: Sequence[Measurement]) -> None:
        """Take a batch to deliver; what is too much to keep is lost."""
        room = self._capacity - len(self._backlog)
        self._backlog.extend(batch[:room])
        self._lose(max(0, len(batch) - room), "too many wait for it")

    def deliver(self, *, at_once: bool = False) -> None:
        """Give the sink what waits, unless it is being left in peace; ``at_once`` tries it all the same."""
        if self.retry_at is not None and not at_once and self._clock() < self.retry_at:
            return
        while self._backlog and self._attempt():
            pass

    def close(self) -> None:
        """Close the sink, if it was ever opened; what still waits is lost."""
        if self._backlog:
            log.error("%d measurements could not be given to the metrics sink %s: %s", self.waiting, self.name, self._reason)
            self.lost += self.waiting
            self._backlog.clear()
        try:
            if self._writer is not None:
                self._writer.close()
        except Exception:
            self.errors += 1
            log.exception("the metrics sink %s could not be closed", self.name)

    def _attempt(self) -> bool:
        """Write once; returns whether to go on without a pause."""
        batch = tuple(islice(self._backlog, self._size))
        try:
            if self._writer is None:
                self._writer = self._sink.open(self._context)
        except Exception as error:  # noqa: BLE001 - a sink is a stranger's code and may raise anything
            self.errors += 1
            return self._rest(error)
        try:
            self._writer.write(batch)
        except Exception as error:  # noqa: BLE001 - as above
            return self._refused(batch, error)
        self._took(batch)
        return True

    def _took(self, batch: Sequence[Measurement]) -> None:
        for measurement in batch:
            self._backlog.popleft()
            self._strikes.pop(id(measurement), None)
        self._written_since_trouble += len(batch)
        self._troubled = self._troubled and bool(self._backlog)
        self._size = min(BATCH, self._size * 2)
        self._stumbles = 0
        if self.retry_at is not None:
            self._strikes.clear()  # what failed while the sink was away says nothing about a measurement
        self._recovered()

    def _refused(self, batch: Sequence[Measurement], error: Exception) -> bool:
        self.errors += 1
        self._size = 1
        if not self._troubled:
            self._troubled, self._written_since_trouble = True, 0
        if len(batch) > 1:
            return True
        measurement = self._backlog.popleft()
        strikes = self._strikes.pop(id(measurement), 0) + 1
        if strikes >= STRIKES and self._written_since_trouble > 0:
            self._lose(1, f"it does not take {measurement.operation} {measurement.target_identifier}: {error}")
            self._recovered()
            return True
        self._strikes[id(measurement)] = strikes
        self._backlog.append(measurement)
        self._stumbles += 1
        return self._stumbles < min(STRIKES, len(self._backlog)) or self._rest(error)

    def _rest(self, error: Exception) -> bool:
        """Leave the sink in peace for a while; told once per outage."""
        if self.retry_at is None:
            why = next(iter(str(error).splitlines()), type(error).__name__)
            log.error("the metrics sink %s failed, what is recorded waits for it: %s", self.name, why, exc_info=error)
        now = self._clock()
        if self.retry_at is None or now >= self.retry_at:
            self.retry_at = now + self._pause
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
        self._reason = error
        return False

    def _recovered(self) -> None:
        self._pause = FIRST_PAUSE
        if self.retry_at is not None:
            self.retry_at = None
            log.info("the metrics sink %s takes measurements again", self.name)

    def _lose(self, count: int, why: str) -> None:
        if count and self.lost == 0:
            log.warning("the metrics sink %s loses measurements: %s", self.name, why)
        self.lost += count
