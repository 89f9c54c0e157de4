"""Writes measurements into ``api_lookup_metrics`` of Cinegraph's own database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cinegraph_core import Measurement, MetricsSink, SinkContext, hookimpl


class SqlWriter:
    """Hands each batch to the core's store, which writes it in one transaction."""

    def __init__(self, store: Callable[[Sequence[Measurement]], None]) -> None:
        self._store = store

    def write(self, batch: Sequence[Measurement]) -> None:
        """Store a batch; raises when the database cannot be written."""
        self._store(batch)

    def close(self) -> None:
        """Nothing is held: every batch is committed when :meth:`write` returns."""


def open_sql(context: SinkContext) -> SqlWriter:
    """Open the sink."""
    return SqlWriter(context.store)


@hookimpl
def metrics_sink() -> Iterator[MetricsSink]:
    """Register the sink ``sql``."""
    yield MetricsSink(name="sql", open=open_sql)
