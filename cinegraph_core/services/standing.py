"""How each service stands, read from what all processes left in the database: its health, and patterns of harm.

It reads the record, not this process's memory: so a command that has just started sees the traffic of a crawl that runs for
hours, and a crawl sees that of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlmodel import Session

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.resilience.abuse import Pattern, patterns
from cinegraph_core.resilience.health import FRESH, Health, judge
from cinegraph_core.resilience.moments import is_astray
from cinegraph_core.resilience.traffic import History, Traffic, histories
from cinegraph_core.services.breakers import FORGOTTEN, is_held_open
from cinegraph_core.services.shared import Controls
from cinegraph_core.storage.controls import controls
from cinegraph_core.storage.health import last_health
from cinegraph_core.storage.state import service_states
from cinegraph_core.storage.tables import HealthStatusRow, ServiceStateRow
from cinegraph_core.storage.traffic import recent_traffic


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says of all services at the moment ``now`` (epoch seconds)."""

    now: float
    traffic: Mapping[str, History]
    breakers: Mapping[str, ServiceStateRow]
    checks: Mapping[str, HealthStatusRow]
    words: Controls

    def current(self, service: str) -> Traffic:
        """Return the traffic of the last five minutes."""
        return self.traffic.get(service, {}).get(0) or Traffic()

    def patterns(self, service: str) -> list[Pattern]:
        """Return the patterns of harm in a service's traffic."""
        return patterns(service, self.traffic.get(service, {}))

    def health(self, spec: ServiceSpec, checked: Health | None = None) -> Health:
        """Return how a service does; ``checked`` is what a look found just now, else the last one counts while it is fresh."""
        return judge(self.current(spec.name), self.breaker(spec), checked or self._last_probe(spec.name))

    def breaker(self, spec: ServiceSpec) -> str:
        """Return the state in which calls find the breaker of a service."""
        last = self.breakers.get(spec.name)
        if self._is_held(spec):
            return "open"
        if spec.breaker_mode == "shadow":
            return "closed"
        if last is None or last.breaker_state == "closed" or is_astray(last.changed_at.timestamp(), self.now):
            return "closed"
        turned_at = (last.retry_at or last.changed_at).timestamp()
        if last.breaker_state == "open" and (last.retry_at is None or turned_at > self.now):
            return "open"
        if self.now - turned_at > FORGOTTEN:
            return "closed"
        return "half_open" if last.breaker_state == "open" else last.breaker_state

    def probe_at(self, spec: ServiceSpec) -> datetime | None:
        """Return when a probe may go to a service whose breaker is open, ``None`` for every other and where none ever may."""
        last = self.breakers.get(spec.name)
        if last is None or self._is_held(spec) or self.breaker(spec) != "open":
            return None
        return last.retry_at

    def _is_held(self, spec: ServiceSpec) -> bool:
        """Tell whether the settings or a person keep the breaker open."""
        return spec.breaker_mode == "open" or is_held_open(self.words, spec.name)

    def _last_probe(self, service: str) -> Health | None:
        last = self.checks.get(service)
        if last is None or last.basis != "probe" or self.now - last.checked_at.timestamp() > FRESH:
            return None
        return Health(cast("Any", last.status), f"{last.reason} at {last.checked_at:%H:%M} UTC", "probe", last.avg_ms)


def read_standing(session: Session, now: float) -> Standing:
    """Return what the database says of all services at a moment (epoch seconds)."""
    traffic = histories(recent_traffic(session, now))
    return Standing(now, traffic, service_states(session), last_health(session), controls(session))


def described(spec: ServiceSpec, standing: Standing) -> dict[str, Any]:
    """Return health and patterns of a service as programs read them; times in milliseconds, moments in ISO 8601 (UTC)."""
    traffic, last = standing.current(spec.name), standing.checks.get(spec.name)
    health = {
        **as_document(standing.health(spec)),
        "calls": traffic.calls,
        "failed": traffic.failed,
        "checked_at": None if last is None else last.checked_at.isoformat(timespec="seconds"),
    }
    return {"health": health, "patterns": [shown(one) for one in standing.patterns(spec.name)]}


def as_document(health: Health) -> dict[str, Any]:
    """Return a health as programs read it."""
    return asdict(health) | {"avg_ms": None if health.avg_ms is None else round(health.avg_ms, 1)}


def shown(pattern: Pattern) -> dict[str, Any]:
    """Return a pattern as programs read it."""
    since = datetime.fromtimestamp(pattern.since, UTC).isoformat(timespec="seconds")
    return {"kind": pattern.kind, "message": pattern.message, "since": since, "figures": dict(pattern.figures)}
