"""Where measurements and alerts go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from cinegraph_core.contracts.clock import Clock
from cinegraph_core.contracts.naming import check_name
from cinegraph_core.records import Measurement


@runtime_checkable
class SinkWriter(Protocol):
    """Where measurements go; called from one background thread, never from the event loop."""

    def write(self, batch: Sequence[Measurement]) -> None:
        """Take a batch; may raise, which is counted and never reaches the measured call."""
        ...

    def close(self) -> None:
        """Flush and let go."""
        ...


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What a sink is opened with: the database's URL, and ``store``, which writes a batch to ``api_lookup_metrics``."""

    database_url: str
    store: Callable[[Sequence[Measurement]], None]
    clock: Clock


@dataclass(frozen=True, slots=True)
class MetricsSink:
    """A destination for measurements; ``open`` is called once per process, in the background thread."""

    name: str
    open: Callable[[SinkContext], SinkWriter]

    def __post_init__(self) -> None:
        check_name("a metrics sink", self.name)


@dataclass(frozen=True, slots=True)
class AlertChannel:
    """Delivers an alert to people: ``send(title, body, severity)`` raises when it could not."""

    name: str
    send: Callable[[str, str, Literal["info", "warning", "critical"]], None]

    def __post_init__(self) -> None:
        check_name("an alert channel", self.name)
