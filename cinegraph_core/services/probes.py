"""The right to probe a service, one for all processes: a word in the database, taken by compare-and-set."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from math import isinf
from typing import TYPE_CHECKING

from cinegraph_core.contracts import Clock
from cinegraph_core.services.shared import PULSE, SharedState

if TYPE_CHECKING:
    from cinegraph_core.storage.shared_store import SharedStore

log = logging.getLogger(__name__)


class ProbeLease:
    """One process's use of the word ``probe`` of a service, which holds a moment before which nobody else probes.

    A process lends at most one probe at a time, so neither a hundred callers nor a hundred processes send a second one. The
    lease of a process that was killed expires after ``seconds``. Where the database is away each process is on its own.
    """

    def __init__(self, service: str, seconds: float, clock: Clock, shared: SharedState) -> None:
        self._service = service
        self._seconds = seconds
        self._clock = clock
        self._shared = shared
        self._mine = 0

    def claim(self) -> Future[float | None]:
        """Ask for the probe; the result is ``None`` if it is ours, else when to ask again (monotonic seconds)."""
        answer: Future[float | None] = Future()

        def ask() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(self._ask())
            except Exception as error:  # noqa: BLE001 - without a word from the others this process decides alone
                log.warning("%s: other processes cannot be asked about their probes: %s", self._service, error)
                answer.set_result(None)

        if not self._shared.submit(ask):
            answer.set_result(None)
        return answer

    def end(self, retry_at: float | None) -> None:
        """Give the probe back; one that failed (``retry_at``: until when, monotonic) keeps the others away until then."""
        until = 0.0
        if retry_at is not None and not isinf(retry_at):
            until = self._clock.now() + retry_at - self._clock.monotonic()
        self._shared.submit(lambda: self._set(until))

    # ------------------------------------------------------------------------------ on the thread of the shared state

    def _ask(self) -> float | None:
        holder = self._set(self._clock.now() + self._seconds)
        if holder is None:
            return None
        left = min(holder / 1000 - self._clock.now(), PULSE)
        return self._clock.monotonic() + left

    def _set(self, until: float) -> int | None:
        """Put the word to a moment, if it is ours or has passed; else return what another process put it to."""
        now, wanted = self._clock.now(), int(until * 1000)

        def take(store: SharedStore) -> int | None:
            return store.take(self._service, "probe", wanted, mine=self._mine, now=now)

        holder = self._shared.use(take)
        if holder is None:
            self._mine = wanted
        return holder
