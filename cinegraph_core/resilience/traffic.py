"""What the calls of a service came to, in slots of five minutes: the figures that health and patterns are read off. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SLOT = 300
"""Seconds of a slot: the short window of the SRE workbook's burn-rate alerts, long enough for a slow caller's ten calls."""
SLOTS = 288
"""Slots looked back at, the current one not counted: a day, so that a service is compared with every hour it has."""
SPARED = "no_proper_answer"
"""Outcome of a call that ended with an old copy or a replica's answer, because the service gave no proper one."""
ANSWERED = frozenset({None, "not_found", "parse_error", "layout_changed"})
"""Error types with which the service has answered: the breaker counts them as successes too."""
SAYS_NOTHING = frozenset({"client_error", "cancelled"})
"""Error types that are the caller's own affair."""
REFUSED = frozenset({"circuit_open", "bulkhead_full", "quota_exceeded", "budget_exceeded"})
"""Error types of calls that were refused here, so that the service was never asked."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls of one service that ended alike within one slot; slot 0 is the current one, slot 1 that before.

    ``outcome`` is an error type, :data:`SPARED`, or ``None`` for a success. ``asked`` counts the calls of which a request left
    or tried to, ``over_*`` those that took that long. ``limited`` counts how often the service (429) or our own limits said to
    slow down; ``first`` is when the first of the calls ended (epoch seconds).
    """

    service: str
    slot: int
    outcome: str | None
    ended: int
    asked: int
    requests: int
    limited: int
    total_ms: float
    over_1s: int
    over_3s: int
    over_5s: int
    first: float


@dataclass(slots=True)
class Traffic:
    """One service within one slot: the ``calls`` that tell of its health and those ``answered``; the others failed."""

    calls: int = 0
    answered: int = 0
    answered_ms: float = 0.0
    """Milliseconds of all answers together; ``over_1s`` and ``over_3s`` count answers too, ``over_5s`` all calls."""
    over_1s: int = 0
    over_3s: int = 0
    over_5s: int = 0
    requests: int = 0
    limited: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    first: float = float("inf")

    @property
    def failed(self) -> int:
        """How many calls the service did not answer properly."""
        return self.calls - self.answered

    @property
    def avg_ms(self) -> float | None:
        """Mean milliseconds of an answer, ``None`` without any."""
        return self.answered_ms / self.answered if self.answered else None

    @property
    def commonest(self) -> str | None:
        """The commonest error, ``None`` without any."""
        return self.errors.most_common(1)[0][0] if self.errors else None

    @property
    def mostly(self) -> str:
        """The commonest error in words, empty without any."""
        return f", mostly {self.commonest}" if self.errors else ""

    def add(self, tally: Tally) -> None:
        """Count further calls."""
        self.requests += tally.requests
        self.limited += tally.limited + (tally.ended if tally.outcome == "quota_exceeded" else 0)
        self.first = min(self.first, tally.first)
        if tally.outcome in SAYS_NOTHING or tally.outcome in REFUSED:
            return
        self.calls += tally.asked
        self.over_5s += tally.over_5s
        if tally.outcome in ANSWERED:
            self.answered += tally.asked
            self.answered_ms += tally.total_ms
            self.over_1s += tally.over_1s
            self.over_3s += tally.over_3s
        elif tally.asked and tally.outcome is not None:
            self.errors[tally.outcome] += tally.asked


History = Mapping[int, Traffic]
"""The traffic of one service by slot; a slot without any is absent."""


def histories(tallies: Iterable[Tally]) -> dict[str, dict[int, Traffic]]:
    """Return the history of every service that anybody called."""
    found: dict[str, dict[int, Traffic]] = {}
    for tally in tallies:
        found.setdefault(tally.service, {}).setdefault(tally.slot, Traffic()).add(tally)
    return found
