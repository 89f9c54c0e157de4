"""What each service may still be asked: its breaker, quotas, budget and cache, as all processes together see them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, get_args

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.records import Mode
from cinegraph_core.resilience.budget import MICRO
from cinegraph_core.resilience.calendar import Period, window, zone_of
from cinegraph_core.resilience.quota import quota_status
from cinegraph_core.services.modes import Switch
from cinegraph_core.services.rules import QUOTAS, is_paid, rules_of
from cinegraph_core.services.shared import Controls
from cinegraph_core.services.standing import Standing


@dataclass(frozen=True, slots=True)
class Counted:
    """A limit within its current window; times in seconds since the epoch."""

    owner: str
    counter: str
    used: int
    reserved: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Known:
    """What the database counts: the use of limits, and the caches by service."""

    counters: Sequence[Counted]
    caches: Mapping[str, Mapping[str, int]]


def overview(spec: ServiceSpec, mode: Mode, known: Known, standing: Standing) -> dict[str, Any]:
    """Return one service as programs read it; what is not limited or never counted is ``None``.

    ``mode`` is that of the settings; a person may have switched the service to another, which then ends at ``until``.
    """
    switch = Switch.of(standing.words.get((spec.name, "mode")))
    switch = switch if switch is not None and switch.holds(standing.now) else None
    counters = _current(known, spec.name, zone_of(spec.time_zone), standing.now)
    return {
        "name": spec.name,
        "mode": mode if switch is None else switch.mode,
        "configured_mode": mode,
        "until": None if switch is None else switch.ends,
        "breaker": _breaker(spec, standing),
        "quota": _quota(spec, standing.words, counters),
        "budget": _budget(spec, counters.get("daily_budget")),
        "cache": {"ttl": spec.cache_ttl, **_cache(known.caches.get(spec.name, {}))},
    }


def costs(specs: Sequence[ServiceSpec], total_usd: float | None, known: Known, now: float) -> list[dict[str, Any]]:
    """Return what was spent today, by service and for all together, for those that have a budget.

    ``forecast_usd`` is what the day will have cost if it goes on like this.
    """
    budgets = [
        (one.name, one.daily_budget_usd, _current(known, one.name, zone_of(one.time_zone), now).get("daily_budget"))
        for one in specs
        if _has_budget(one)
    ]
    if total_usd is not None:
        budgets.append(("all services", total_usd, _current(known, "", UTC, now).get("total_daily_budget")))
    return [
        {"service": name, **_money(counter, budget or 0.0), "forecast_usd": _forecast(counter, now)}
        for name, budget, counter in budgets
    ]


def _current(known: Known, owner: str, zone: tzinfo, now: float) -> dict[str, Counted]:
    """Return an owner's counters by name; after a change of its time zone those of the windows that hold now there come first."""
    starts = {window(period, now, zone).start for period in get_args(Period)}
    owned = sorted((one for one in known.counters if one.owner == owner), key=lambda one: one.start in starts)
    return {one.counter: one for one in owned}


def _has_budget(spec: ServiceSpec) -> bool:
    return spec.daily_budget_usd is not None and is_paid(spec)


def _breaker(spec: ServiceSpec, standing: Standing) -> dict[str, Any]:
    probe_at = standing.probe_at(spec)
    return {"state": standing.breaker(spec), "retry_at": None if probe_at is None else probe_at.isoformat(timespec="seconds")}


def _quota(spec: ServiceSpec, words: Controls, counters: Mapping[str, Counted]) -> dict[str, Any] | None:
    limits = {rule.counter: rule.ceiling for rule in rules_of(spec, None) if rule.counter in QUOTAS}
    limits |= {name: words[spec.name, name] for name in QUOTAS if (spec.name, name) in words}
    found = {}
    for name, limit in limits.items():
        used, reserved = _figures(counters.get(name))
        status = quota_status(used + reserved, limit)
        found[name.removesuffix("_quota")] = {"limit": limit, "used": used, "reserved": reserved, "status": status}
    return found or None


def _budget(spec: ServiceSpec, counter: Counted | None) -> dict[str, Any] | None:
    return _money(counter, spec.daily_budget_usd or 0.0) if _has_budget(spec) else None


def _money(counter: Counted | None, budget: float) -> dict[str, float]:
    used, reserved = _figures(counter)
    return {"spent_usd": used / MICRO, "reserved_usd": reserved / MICRO, "budget_usd": budget}


def _figures(counter: Counted | None) -> tuple[int, int]:
    return (0, 0) if counter is None else (counter.used, counter.reserved)


def _forecast(counter: Counted | None, now: float) -> float:
    if counter is None:
        return 0.0
    elapsed = max(now - counter.start, 1.0)
    return round(counter.used / MICRO * (counter.end - counter.start) / elapsed, 6)


def _cache(found: Mapping[str, int]) -> dict[str, int]:
    names = ("entries", "bytes", "hits", "stale", "joined", "misses", "stored", "evicted", "negative")
    return {name: found.get(name, 0) for name in names}
