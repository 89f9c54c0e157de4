"""One process's breaker is every process's: what it found out and what a person said of it is felt within a second."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cinegraph_core.contracts import Clock
from cinegraph_core.records import Control
from cinegraph_core.services.probes import ProbeLease
from cinegraph_core.services.shared import Controls, SharedState
from cinegraph_core.services.state import ServiceState

log = logging.getLogger(__name__)
BY_HAND: tuple[Control, ...] = ("breaker_opened", "breaker_reset")
"""The words about a breaker; the later one counts."""
_WORTH_TELLING = 1.0
"""Seconds; a shorter hold would be over before the others feel it."""


class SharedBreakers:
    """Looks at the breakers of other processes; ``states`` are this one's, and may grow.

    Without ``shared`` this process is alone.
    """

    def __init__(self, states: Mapping[str, ServiceState], clock: Clock, shared: SharedState | None) -> None:
        self._states = states
        self._clock = clock
        self._shared = shared
        self._words: Controls = {}

    def join(self, service: str) -> None:
        """Take in a service whose state is new: it may have been opened by hand before this process began to ask it."""
        state = self._states[service]
        if is_held_open(self._words, service):
            state.breaker.force_open()
        if self._shared is None:
            return
        if state.spec.breaker_mode != "shadow":
            state.probes = ProbeLease(service, state.breaker.lease, self._clock, self._shared)
        state.on_hold = self._tell_hold
        self._keep_away(service, self._words.get((service, "held_until"), 0))

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Open those that another process found sick, and begin the ramp of those that it found well."""
        if ending:
            return
        seen = shared.use(lambda store: store.breakers())
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for service, last in seen.items():
            state = self._states.get(service)
            if state is None:
                continue
            found_at = monotonic + last.changed_at - now
            if last.state == "open" and last.retry_at is not None:
                left = last.retry_at - now
                if state.breaker.follow(monotonic + left, monotonic, found_at):
                    log.warning("%s: another process opened the breaker; the next request may go in %.0f s", service, left)
            elif last.state in ("ramp", "closed") and state.breaker.recover(found_at, monotonic):
                log.warning("%s: another process found it well again; a growing share of the calls goes", service)

    def obey(self, words: Controls) -> None:
        """Close those that a person reset since the last word, open those that a person opened, keep the holds of others."""
        before, self._words = self._words, dict(words)
        for (service, name), moment in words.items():
            if name == "held_until" and service in self._states:
                self._keep_away(service, moment)
            if name not in BY_HAND or moment == before.get((service, name)) or service not in self._states:
                continue
            if is_held_open(words, service):
                log.warning("%s: the breaker was opened by hand", service)
                self._states[service].breaker.force_open()
            elif name == "breaker_reset":
                log.warning("%s: the breaker was reset by hand", service)
                self._states[service].breaker.reset(self._clock.monotonic())

    def _tell_hold(self, service: str, until: float) -> None:
        left = until - self._clock.monotonic()
        if self._shared is not None and left > _WORTH_TELLING:
            self._shared.say(service, "held_until", int((self._clock.now() + left) * 1000))

    def _keep_away(self, service: str, moment: int) -> None:
        left = moment / 1000 - self._clock.now()
        if left > 0 and self._states[service].keep_away(self._clock.monotonic() + left):
            log.warning("%s asked another process to be left alone for %.0f more seconds", service, left)


def is_held_open(words: Controls, service: str) -> bool:
    """Return whether a person opened the breaker of a service and nobody has reset it since."""
    return words.get((service, "breaker_opened"), 0) > words.get((service, "breaker_reset"), 0)
