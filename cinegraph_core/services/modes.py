"""Which mode each service is in now: a person's word for as long as it holds, else that of the settings."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, isinf
from typing import Literal

from cinegraph_core.contracts import Clock
from cinegraph_core.records import Mode
from cinegraph_core.services.shared import Controls, SharedState

log = logging.getLogger(__name__)

Side = Literal["live", "mock", "fallback"]
"""Who answers: the service itself, its replica as the mode wants it, or the replica in the place of a refused service."""
AS_CONFIGURED = 0
"""The word ``mode`` of a service whose switch a person took back."""
_MODES: tuple[Mode, ...] = ("mock", "real", "hybrid")


@dataclass(frozen=True, slots=True)
class Switch:
    """A mode that a person gave a service until a moment (epoch seconds; ``inf``: until it is taken back)."""

    mode: Mode
    until: float = inf

    def holds(self, now: float) -> bool:
        """Tell whether it still counts."""
        return now < self.until

    @property
    def ends(self) -> str | None:
        """The moment of its end for people and programs (ISO 8601, UTC), ``None`` if it has none."""
        return None if isinf(self.until) else datetime.fromtimestamp(self.until, UTC).isoformat(timespec="seconds")

    @property
    def word(self) -> int:
        """The switch as one number for every process: the milliseconds of its end (0: none) times four, plus the mode's place."""
        return (0 if isinf(self.until) else round(self.until * 1000)) * 4 + _MODES.index(self.mode) + 1

    @classmethod
    def of(cls, word: int | None) -> Switch | None:
        """Return the switch a word means, ``None`` for none."""
        ends, place = divmod(word or AS_CONFIGURED, 4)
        return cls(_MODES[place - 1], ends / 1000 if ends else inf) if place else None


class Switches:
    """The switches in force; ``refusal`` says why a mode is not available in this process, empty if it is."""

    def __init__(self, clock: Clock, refusal: Callable[[Mode], str]) -> None:
        self._clock = clock
        self._refusal = refusal
        self._lock = threading.Lock()
        self._words: Controls = {}
        self.all: Mapping[str, Switch] = {}
        """By service; empty while nobody has switched anything, so that a call need not look further."""

    def mode(self, service: str) -> Mode | None:
        """Return the mode a service is switched to now; a switch whose time is over is gone."""
        switch = self.all.get(service)
        if switch is None or switch.holds(self._clock.now()):
            return None if switch is None else switch.mode
        with self._lock:
            self.all = {name: one for name, one in self.all.items() if one is not switch}
        log.warning("%s: mode %s has ended; the settings count again", service, switch.mode)
        return None

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Report nothing: the person's command has written the switch itself."""

    def obey(self, words: Controls) -> None:
        """Take the switches that hold now; one whose mode is refused in this process is logged and ignored."""
        found = {}
        for (service, name), word in words.items():
            switch = Switch.of(word) if name == "mode" else None
            if switch is not None and switch.holds(self._clock.now()):
                if self._words.get((service, name)) != word:
                    self._tell(service, switch)
                if not self._refusal(switch.mode):
                    found[service] = switch
        with self._lock:
            taken_back = self.all.keys() - found.keys()
            self.all, self._words = found, dict(words)
        for service in taken_back:
            log.warning("%s: its mode was reset; the settings count again", service)

    def _tell(self, service: str, switch: Switch) -> None:
        if refusal := self._refusal(switch.mode):
            log.error("%s: switched to %s by hand, which is not followed here: %s", service, switch.mode, refusal)
        else:
            log.warning("%s: switched to %s by hand, until %s", service, switch.mode, switch.ends or "it is reset")
