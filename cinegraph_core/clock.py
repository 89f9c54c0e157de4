"""The clock that real runs use; tests pass :class:`cinegraph_core.testing.FakeClock` instead."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return wall-clock seconds since the epoch (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Wait and block the thread meanwhile."""
        time.sleep(seconds)
