"""A door of real parts over whatever services a test brings."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cinegraph_core.contracts import Clock, Replica, ServiceSpec
from cinegraph_core.records import Measurement
from cinegraph_core.services import Services
from cinegraph_core.settings import load_settings
from cinegraph_core.testing import fresh_plugins


class Rows:
    """Keeps what is recorded, in order."""

    def __init__(self) -> None:
        self.all: list[Measurement] = []

    def record(self, measurement: Measurement) -> None:
        self.all.append(measurement)

    @property
    def only(self) -> Measurement:
        (row,) = self.all
        return row

    @property
    def brief(self) -> list[tuple[bool, str | None, int]]:
        """Success, error type and attempts of each row."""
        return [(row.success, row.error_type, row.attempts) for row in self.all]


class Longest(random.Random):
    """Always draws the highest number, so that a jittered wait is known: 1, 2, 4, 8, 10 …"""

    def uniform(self, a: float, b: float) -> float:
        return b


def open_door(
    *brought: ServiceSpec | Replica,
    clock: Clock,
    rows: Rows,
    mode: str = "real",
    services: Mapping[str, Mapping[str, Any]] | None = None,
    **options: Any,
) -> Services:
    """Return a door over these services; ``services`` are their settings."""
    settings = load_settings(directory=Path("/nonexistent"), environ={}, mode=mode, services=services or {})
    return Services(settings, fresh_plugins(*brought), rows, clock, rng=Longest(), **options)
