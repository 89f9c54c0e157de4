"""An event loop in a thread of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Portal:
    """Runs coroutines for whatever thread asks; its thread starts with the first one and ends with :meth:`close`.

    ``last`` is what is done in its loop at the end, when nothing else runs there any more; before that, ``settled`` waits for
    what the work has left running.
    """

    def __init__(
        self, last: Callable[[], Coroutine[Any, Any, None]], *, settled: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        self._last = last
        self._settled = settled
        self._running: set[concurrent.futures.Future[Any]] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` returns; if the waiting thread is interrupted, the work is cancelled.

        Raises :class:`concurrent.futures.CancelledError` if the portal is closed meanwhile, :class:`RuntimeError` if it is.
        """
        try:
            with self._lock:  # whoever is in before the end is told of it
                running = asyncio.run_coroutine_threadsafe(work, self._started())
                self._running.add(running)
        except BaseException:
            work.close()
            raise
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise
        finally:
            self._running.discard(running)

    def close(self, *, at_once: bool = False) -> None:
        """Cancel what is under way, wait until it has ended, and end the thread; no work is taken afterwards.

        With ``at_once`` what the work has left running is cancelled too.
        """
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
            self._is_closed = True
            if at_once:
                self._settled = None
            running = list(self._running)
        if loop is not None and thread is not None:
            for one in running:
                one.cancel()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._is_closed:
            raise RuntimeError("nothing can be sent, as the client has been closed")
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._work, args=(self._loop,), name="cinegraph-portal", daemon=True)
            self._thread.start()
        return self._loop

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
            if self._settled is not None:
                loop.run_until_complete(self._settled())
            while tasks := asyncio.all_tasks(loop):
                for task in tasks:
                    task.cancel()
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(self._last())
        finally:
            loop.close()
