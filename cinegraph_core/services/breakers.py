"""One process's breaker is every process's: what it found out and what a person said of it is felt within a second.

The others date what they write by their clocks, and a clock may be set at any time. So each note is turned into this
process's own monotonic time once, when it is first seen; one that is dated far ahead is not believed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cinegraph_core.contracts import Clock
from cinegraph_core.records import Control
from cinegraph_core.resilience.breaker import LONGEST_WAIT
from cinegraph_core.resilience.moments import is_astray
from cinegraph_core.resilience.retry import LONGEST_HOLD
from cinegraph_core.services.probes import ProbeLease
from cinegraph_core.services.shared import Controls, SharedState
from cinegraph_core.services.state import ServiceState

if TYPE_CHECKING:
    from cinegraph_core.storage.state import LastSeen

log = logging.getLogger(__name__)
BY_HAND: tuple[Control, ...] = ("breaker_opened", "breaker_reset")
"""The words about a breaker; the later one counts."""
FORGOTTEN = 3600.0
"""Seconds after which a breaker that was last recorded as recovering counts as closed: its process has ended since."""
_WORTH_TELLING = 1.0
"""Seconds; a shorter hold would be over before the others feel it."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What some process found out about a breaker; ``at`` and ``until`` in this process's monotonic seconds."""

    state: str
    at: float
    until: float | None

    def wait_ends(self) -> float | None:
        """Return when a probe may go to a service that was found sick, ``None`` for any other."""
        return self.until if self.state == "open" else self.at if self.state == "half_open" else None


class SharedBreakers:
    """Keeps the breakers and holds of this process in step with the others; without ``shared`` it is alone."""

    def __init__(self, clock: Clock, shared: SharedState | None) -> None:
        self._clock = clock
        self._shared = shared
        self._chosen: dict[str, ServiceState] = {}
        """By service, the side that the settings choose, if it is the service itself: what others find out is about that."""
        self._sides: dict[str, tuple[ServiceState, ...]] = {}
        """By service, every side that a person's word reaches."""
        self._words: Controls = {}
        self._holds: dict[str, float] = {}
        self._seen: Mapping[str, LastSeen] = {}
        self._found: dict[str, _Finding] = {}
        if shared is not None:
            list(self._news(shared.breakers))

    def join(self, state: ServiceState, *, chosen: bool = True) -> None:
        """Take in a state that is new: a person or another process may know more of its service.

        One that is not ``chosen`` by the settings has a breaker of its own, which only words by hand reach, and holds.
        """
        service = state.spec.name
        self._sides[service] = (*self._sides.get(service, ()), state)
        if is_held_open(self._words, service):
            state.breaker.force_open()
        if self._shared is None or state.provenance != "live":
            return  # what a replica does says nothing of its service, nor the other way round
        state.on_hold = self._tell_hold
        state.keep_away(self._holds.get(service, float("-inf")))
        if chosen:
            if state.spec.breaker_mode != "shadow":
                state.probes = ProbeLease(service, state.breaker.lease, self._clock, self._shared)
            self._chosen[service] = state
            self._resume(state, self._found.get(service))

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Open those that another process found sick, and begin the ramp of those that it found well."""
        if ending:
            return
        for service, finding in self._news(shared.use(lambda store: store.breakers())):
            if (state := self._chosen.get(service)) is not None:
                self._follow(state, finding)

    def obey(self, words: Controls) -> None:
        """Close those that a person reset since the last word, open those that a person opened, keep the holds of others."""
        before, self._words = self._words, dict(words)
        new = [key for key, moment in words.items() if moment != before.get(key)]
        for service, name in new:
            if name in BY_HAND and service in self._sides:
                self._obey_hand(service, name)
        # Last, because what a person lifted is no longer among the words, and what is there was said since.
        for service, name in new:
            if name == "held_until":
                self._keep_hold(service)

    # ---------------------------------------------------------------------------------------- what others found out

    def _news(self, seen: Mapping[str, LastSeen]) -> Iterator[tuple[str, _Finding]]:
        """Take note of how the breakers were last seen, and yield what has changed since the last look."""
        before, self._seen = self._seen, seen
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for service, last in seen.items():
            if last == before.get(service):
                continue
            if is_astray(last.changed_at, now):
                _doubt(service, last.changed_at - now)
                continue
            at = monotonic - max(0.0, now - last.changed_at)
            until = None if last.retry_at is None else at + last.retry_at - last.changed_at
            finding = self._found[service] = _Finding(last.state, at, until)
            yield service, finding

    def _follow(self, state: ServiceState, finding: _Finding) -> None:
        service, now = state.spec.name, self._clock.monotonic()
        if finding.state == "open" and finding.until is not None:
            until = _bounded(state, finding.until, now)
            if state.breaker.follow(until, now, finding.at):
                log.warning("%s: another process opened the breaker; the next request may go in %.0f s", service, until - now)
        elif finding.state in ("ramp", "closed") and state.breaker.recover(finding.at, now):
            log.warning("%s: another process found it well again; a growing share of the calls goes", service)

    def _resume(self, state: ServiceState, finding: _Finding | None) -> None:
        """Begin where the others are with a service that was found sick: refused until a probe is due, else as one who probes."""
        if finding is None or (ends := finding.wait_ends()) is None:
            return
        now = self._clock.monotonic()
        if now - ends <= FORGOTTEN:
            state.breaker.resume(_bounded(state, ends, now), finding.at)

    # ------------------------------------------------------------------------------------------------ by hand, and holds

    def _obey_hand(self, service: str, name: str) -> None:
        if is_held_open(self._words, service):
            log.warning("%s: the breaker was opened by hand", service)
            for state in self._sides[service]:
                state.breaker.force_open()
        elif name == "breaker_reset":
            log.warning("%s: the breaker was reset by hand", service)
            if self._shared is not None:
                self._shared.take_back(service, "held_until")  # first: a hold that is asked for meanwhile is to be told
            for state in self._sides[service]:
                state.breaker.reset(self._clock.monotonic())
                state.lift_hold()

    def _tell_hold(self, service: str, until: float) -> None:
        """Tell the others of the longest hold that any side was asked for."""
        now = self._clock.monotonic()
        left = max(until - now, *(state.held(now) for state in self._live(service)))
        if self._shared is not None and left > _WORTH_TELLING:
            self._shared.say(service, "held_until", int((self._clock.now() + min(left, LONGEST_HOLD)) * 1000))

    def _keep_hold(self, service: str) -> None:
        """Take note of a hold that another process was asked for, or that a person lifted."""
        now, words = self._clock.now(), self._words
        left = min(words[service, "held_until"] / 1000 - now, LONGEST_HOLD)
        ahead = words.get((service, "held_since"), 0) / 1000 - now
        if left <= 0:
            self._holds.pop(service, None)
        elif is_astray(ahead, 0.0):
            _doubt(service, ahead)
        else:
            self._holds[service] = until = self._clock.monotonic() + left
            if sum(state.keep_away(until) for state in self._live(service)):  # the sum, because each of them is to know
                log.warning("%s asked another process to be left alone for %.0f more seconds", service, left)

    def _live(self, service: str) -> list[ServiceState]:
        """Return the sides that ask the service itself."""
        return [state for state in self._sides.get(service, ()) if state.provenance == "live"]


def is_held_open(words: Controls, service: str) -> bool:
    """Return whether a person opened the breaker of a service and nobody has reset it since."""
    return words.get((service, "breaker_opened"), 0) > words.get((service, "breaker_reset"), 0)


def _bounded(state: ServiceState, until: float, now: float) -> float:
    """Return a moment no further ahead than a breaker ever waits."""
    return min(until, now + max(LONGEST_WAIT, state.spec.breaker_wait))


def _doubt(service: str, ahead: float) -> None:
    remedy = "see whether the clocks of the machines are right"
    log.warning("%s: what another process noted is dated %.0f s ahead, so it is not believed; %s", service, ahead, remedy)
