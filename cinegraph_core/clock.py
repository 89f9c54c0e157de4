"""The clock that real runs use; tests pass :class:`cinegraph_core.testing.FakeClock` instead."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """The machine's own clock.

    ``now()`` returns wall-clock seconds since the epoch (UTC), ``monotonic()`` seconds that never run backwards: the functions
    of :mod:`time` themselves, because every call looks several times.
    """

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Wait and block the thread meanwhile."""
        time.sleep(seconds)
