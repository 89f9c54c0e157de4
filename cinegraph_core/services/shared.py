"""What the processes on one database know together: counts of calls, kept answers, words of persons.

One daemon thread speaks with the database, so that neither an event loop nor a call waits for it longer than it must: it
fetches leases at once and, every half second, reports, writes and reads what has changed. While the database cannot be
reached each process goes on with what it holds, and tells the others later what it has to tell; that is logged, and noted in the
audit once everything can be written again.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from cinegraph_core.contracts import Clock
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.records import Control
from cinegraph_core.tracking.shutdown import guard, release

if TYPE_CHECKING:
    from cinegraph_core.storage.shared_store import SharedStore
    from cinegraph_core.storage.state import LastSeen

log = logging.getLogger(__name__)
T = TypeVar("T")
PULSE = 0.5
"""Seconds between two looks at the database: what one process does, the others feel within a second."""
_PATIENCE = 10.0
"""Seconds the end of a process waits at most for its last word."""
Controls = dict[tuple[str, str], int]


class Sharer(Protocol):
    """A part of the door that shares something; called on the background thread only, and may raise."""

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Report and write what has gathered; ``ending``: for the last time."""
        ...

    def obey(self, words: Controls) -> None:
        """Take note of what persons said, whenever that has changed."""
        ...


class SharedState:
    """The thread and its tasks; starts with the first part that joins, ends with :meth:`close`."""

    def __init__(self, store: SharedStore, clock: Clock) -> None:
        self.clock = clock
        self._store = store
        self._sharers: list[Sharer] = []
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        # Read at once: the first call of a process must keep within a limit that was set long ago.
        self._words: Controls = store.words()
        self.breakers: Mapping[str, LastSeen] = store.breakers()
        """How each breaker was last seen when this process began."""
        self._down_since: float | None = None
        self._unsaid: dict[tuple[str, str], Callable[[SharedStore], object]] = {}
        """By service and word, what the others are still to be told."""

    def join(self, sharer: Sharer) -> None:
        """Let a part of the door take part from now on."""
        with self._starting:
            self._sharers.append(sharer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cinegraph-shared", daemon=True)
                self._thread.start()
                guard(self.close)
        sharer.obey(self._words)

    def submit(self, task: Callable[[], object]) -> bool:
        """Have a task done on the background thread as soon as it is free; returns whether there is one still."""
        with self._starting:
            if not self._closed:
                self._tasks.put(task)
            return not self._closed

    async def ask(self, work: Callable[[SharedStore], T]) -> T:
        """Return what ``work(store)`` returns, without holding the event loop."""
        answer: Future[T] = Future()

        def read() -> None:
            if not answer.set_running_or_notify_cancel():
                return  # whoever asked has given up, and an answer that nobody takes would be an error
            try:
                answer.set_result(self.use(work))
            except Exception as error:  # noqa: BLE001 - whoever waits is told
                answer.set_exception(error)

        if not self.submit(read):
            raise ConfigurationError("the door is closed")
        return await asyncio.wrap_future(answer)

    def use(self, work: Callable[[SharedStore], T]) -> T:
        """Return what ``work(store)`` returns; on the background thread only. An error is an alarm, once per outage."""
        try:
            return work(self._store)
        except Exception as error:
            self._lost(error)
            raise

    def say(self, service: str, name: Control, until: int) -> None:
        """Tell every process of a moment (ms) that a service named, without waiting; a later one that was named counts still."""
        word, now = (service, name), self.clock.now()
        self._tell(word, lambda store: store.say(service, name, until, heard=self._words.get(word, 0), now=now))

    def take_back(self, service: str, name: Control) -> None:
        """Do not say what has not been said yet: a person spoke meanwhile."""
        self._unsaid.pop((service, name), None)

    def report(self, service: str, seen: LastSeen) -> None:
        """Tell every process how a breaker was last seen, without waiting."""
        self._tell((service, "breaker"), lambda store: store.report(service, seen))

    def close(self) -> None:
        """Report what is left and end the thread; more than once does no harm. A graceful end of the process does it too."""
        release(self.close)
        with self._starting:
            if self._closed or self._thread is None:
                self._closed = True
                return
            self._closed = True
            self._tasks.put(None)
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            log.error("the database does not answer: leases of this process are given back only when they expire")

    def _tell(self, what: tuple[str, str], write: Callable[[SharedStore], object]) -> None:
        """Have something written at once or, while the database takes nothing, with the first pulse when it does again."""
        self._unsaid[what] = write
        self.submit(self._catch_up)

    # ------------------------------------------------------------------------------------------ the thread

    def _work(self) -> None:
        due = time.monotonic()
        while True:
            try:
                task = self._tasks.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                self._pulse(ending=False)
                due = time.monotonic() + PULSE
                continue
            if task is None:
                self._pulse(ending=True)
                return
            self._guarded(task)
            if time.monotonic() >= due:
                self._pulse(ending=False)
                due = time.monotonic() + PULSE

    def _pulse(self, *, ending: bool) -> None:
        well = [self._guarded(partial(sharer.pulse, self, ending=ending)) for sharer in list(self._sharers)]
        if self._guarded(self._exchange) and all(well) and self._down_since is not None:
            self._guarded(partial(self._found, self._down_since))

    def _catch_up(self) -> None:
        if self._unsaid:
            self._exchange()

    def _exchange(self) -> None:
        """Hear the others, who may have taken back what is to be said, then say it."""
        self._listen()
        for what in list(self._unsaid):
            if (write := self._unsaid.pop(what, None)) is None:
                continue
            try:
                self.use(write)
            except Exception:
                self._unsaid.setdefault(what, write)  # unless there is something newer to say
                raise

    def _listen(self) -> None:
        words = self.use(lambda store: store.words())
        if words != self._words:
            self._words = words
            for sharer in list(self._sharers):
                sharer.obey(words)

    def _guarded(self, task: Callable[[], object]) -> bool:
        """Do a task; returns whether it went well."""
        try:
            task()
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever the database does
            self._lost(error)
            return False
        return True

    def _lost(self, error: Exception) -> None:
        if self._down_since is None:
            self._down_since = self.clock.now()
            log.error("the shared state cannot be reached, this process goes on with what it holds: %s", error)

    def _found(self, since: float) -> None:
        now = self.clock.now()
        self._store.note_loss(since=since, until=now)
        self._down_since = None
        log.warning("the shared state is back after %.0f s", now - since)
