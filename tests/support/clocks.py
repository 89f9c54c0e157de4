"""Clocks for tests that speak real HTTP."""

from __future__ import annotations

import asyncio

from cinegraph_core.testing import FakeClock


class PatientClock(FakeClock):
    """A fake clock that gives real I/O a moment before it jumps.

    A sleep of ``patient_from`` seconds or more lasts ``patience`` real seconds, then the whole time passes at once; one
    cancelled before that (the answer came in time) moves nothing. So an attempt that hangs ends exactly at its timeout on
    this clock. Shorter sleeps pass at once. The patience is a hundred naps, each longer on a machine that is busy.
    """

    def __init__(self, start: float = 1_700_000_000.0, *, patient_from: float = 0.0, patience: float = 1.0) -> None:
        super().__init__(start)
        self._patient_from = patient_from
        self._patience = patience

    async def sleep(self, seconds: float) -> None:
        """Wait for real I/O, then let the time pass."""
        self.slept.append(seconds)
        wake_at = self.monotonic() + seconds
        naps, nap = (100, self._patience / 100) if seconds >= self._patient_from else (1, 0.0)
        for _ in range(naps):
            await asyncio.sleep(nap)
        self.advance(max(0.0, wake_at - self.monotonic()))


class SettableClock(FakeClock):
    """A fake clock whose wall time somebody sets, while the monotonic time goes on."""

    def set(self, seconds: float) -> None:
        """Set the wall clock forward, or back by a negative number of seconds."""
        self._start += seconds
