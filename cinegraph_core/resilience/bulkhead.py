"""A bound on the calls under way to one service, so that a sick one cannot take every thread and connection of the process.

It knows neither threads nor loops: whoever has to wait leaves a way to be woken. While nobody waits, taking or giving back a
place is one operation of a deque, which needs no lock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody in the queue; ``wake`` is called once the place is theirs, and tells whether they are still there."""

    wake: Callable[[], bool]
    served: bool = False


class Bulkhead:
    """So many ``places``, and a queue of at most ``waiting``, first come, first served."""

    def __init__(self, places: int, waiting: int) -> None:
        self.places = places
        self._most = waiting
        self._free = deque([None] * places)
        self._queue: deque[Waiter] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._queue)

    def enter(self) -> bool:
        """Take a place, if one is free and nobody waits for it."""
        if self._queue:
            return False
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def queue(self, wake: Callable[[], bool]) -> Waiter | None:
        """Stand in the queue; ``None`` if it is full. ``wake`` may be called at once, and from any thread."""
        with self._lock:
            if len(self._queue) >= self._most:
                # A place may have come free since the caller looked, with nobody else waiting for it.
                return self._seated(wake) if not self._queue else None
            waiter = Waiter(wake)
            self._queue.append(waiter)
        # Whoever gave a place back before the queue was joined looked for waiters too early.
        self._serve()
        return waiter

    def leave(self) -> None:
        """Give a place back; it is the longest waiting one's."""
        self._free.append(None)
        if self._queue:
            self._serve()

    def give_up(self, waiter: Waiter) -> None:
        """Leave the queue, or give back the place that came in the same moment."""
        with self._lock:
            if not waiter.served:
                self._queue.remove(waiter)
                return
        self.leave()

    def _seated(self, wake: Callable[[], bool]) -> Waiter | None:
        try:
            self._free.pop()
        except IndexError:
            return None
        wake()
        return Waiter(wake, served=True)

    def _serve(self) -> None:
        while self._queue:
            with self._lock:
                if not self._queue or not self._free:
                    return
                self._free.pop()
                waiter = self._queue.popleft()
                waiter.served = True
            if not waiter.wake():
                self._free.append(None)
