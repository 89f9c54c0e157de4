"""One sink as the tracker sees it: opened late, isolated, left out when it keeps failing."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from cinegraph_core.contracts import MetricsSink, SinkContext, SinkWriter
from cinegraph_core.records import Measurement

log = logging.getLogger(__name__)
PATIENCE = 5
"""Failures in a row after which a sink is left out for the rest of the process."""


class Outlet:
    """A sink with its failures; used from the tracker's thread only, ``errors`` may be read from any."""

    def __init__(self, sink: MetricsSink, context: SinkContext) -> None:
        self.name = sink.name
        self.errors = 0
        self._sink = sink
        self._context = context
        self._writer: SinkWriter | None = None
        self._failures = 0

    def write(self, batch: Sequence[Measurement]) -> None:
        """Give the sink a batch; what it raises ends here."""
        if not batch or self._failures >= PATIENCE:
            return
        try:
            if self._writer is None:
                self._writer = self._sink.open(self._context)
            self._writer.write(tuple(batch))
        except Exception as error:  # noqa: BLE001 - a sink is a stranger's code and may raise anything
            self._failed(error)
        else:
            self._failures = 0

    def close(self) -> None:
        """Close the sink, if it was ever opened."""
        if self._writer is None:
            return
        try:
            self._writer.close()
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        self._failures += 1
        if self.errors == 1:
            log.error("the metrics sink %s failed: %s", self.name, error, exc_info=error)
        if self._failures == PATIENCE:
            log.error("the metrics sink %s failed %d times in a row and is left out from now on", self.name, PATIENCE)
