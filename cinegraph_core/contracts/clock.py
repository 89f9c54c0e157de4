"""Where time comes from."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Where time comes from; tests pass one that they turn by hand (:class:`cinegraph_core.testing.FakeClock`)."""

    def now(self) -> float:
        """Return wall-clock seconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait and block the thread meanwhile, for callers that are not ``async``."""
        ...
