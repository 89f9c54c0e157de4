"""One process's breaker is every process's: an opening is followed, a reset by hand is obeyed, within a second."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cinegraph_core.contracts import Clock
from cinegraph_core.services.shared import Controls, SharedState
from cinegraph_core.services.state import ServiceState

log = logging.getLogger(__name__)


class SharedBreakers:
    """Looks at the breakers of other processes; ``states`` are this one's, and may grow."""

    def __init__(self, states: Mapping[str, ServiceState], clock: Clock, shared: SharedState) -> None:
        self._states = states
        self._clock = clock
        self._words: Controls = {}
        shared.join(self)

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Open those that another process found sick; when its probe is due, each process makes one of its own."""
        if ending:
            return
        opened = shared.use(lambda store: store.open_breakers())
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for service, retry_at in opened.items():
            state = self._states.get(service)
            if state is not None and state.breaker.follow(monotonic + retry_at - now, monotonic):
                log.warning("%s: another process opened the breaker; the next request may go in %.0f s", service, retry_at - now)

    def obey(self, words: Controls) -> None:
        """Close those that a person reset since the last word."""
        before, self._words = self._words, words
        for (service, name), moment in words.items():
            if name == "breaker_reset" and moment != before.get((service, name)) and service in self._states:
                log.warning("%s: the breaker was reset by hand", service)
                self._states[service].breaker.reset(self._clock.monotonic())
