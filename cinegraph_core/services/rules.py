"""What the settings of a service mean for its calls: ceilings per calendar window, and what a call takes of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.resilience.allowance import Limit, Mark
from cinegraph_core.resilience.budget import BUDGETS, MICRO, Tariff, Tokens, budget_of, price_of
from cinegraph_core.resilience.calendar import Period, window, zone_of

log = logging.getLogger(__name__)
QUOTAS: Mapping[str, Period] = {"hourly_quota": "hour", "daily_quota": "day"}
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()
UNMEASURED = 0
"""The units of a budget that cannot be known: tokens cost money, and nobody says how many a call may take."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A ceiling per calendar ``period`` of a zone, of which each call takes ``units``; ``owner`` is empty for a common one.

    ``at_most`` tells that a call may turn out to take less.
    """

    owner: str
    counter: str
    period: Period
    zone: tzinfo
    ceiling: int
    units: int = 1
    at_most: bool = False

    def limit(self, now: float) -> Limit:
        """Return the limit of the window that holds ``now`` (epoch seconds)."""
        today = window(self.period, now, self.zone)
        return Limit(self.owner, self.counter, self.ceiling, self.units, today.start, today.end, self.at_most)


def rules_of(spec: ServiceSpec, total_daily_budget_usd: float | None) -> tuple[Rule, ...]:
    """Return a service's limits: its own quotas and budget, and the budget common to all services."""
    zone, tariff = zone_of(spec.time_zone), tariff_of(spec)
    quotas = (("hourly_quota", spec.hourly_quota), ("daily_quota", spec.daily_quota))
    rules = [Rule(spec.name, counter, QUOTAS[counter], zone, ceiling) for counter, ceiling in quotas if ceiling is not None]
    if spec.on_exhausted == "stale" and spec.cache_on_error <= 0:
        log.warning("%s: ON_EXHAUSTED is stale and CACHE_ON_ERROR is 0, so no stale answer is kept to serve", spec.name)
    if not is_paid(spec):
        if spec.daily_budget_usd is not None:
            log.warning("%s has a budget and no price, neither per call nor per token, so it is never used up", spec.name)
        return tuple(rules)
    most = most_of(spec)
    units = UNMEASURED if most is None else max(1, tariff.cost(most))
    if spec.daily_budget_usd is not None:
        budget = budget_of(spec.daily_budget_usd)
        rules.append(Rule(spec.name, "daily_budget", "day", zone, budget, units, tariff.by_tokens))
    if total_daily_budget_usd is not None:
        budget = budget_of(total_daily_budget_usd)
        rules.append(Rule("", "total_daily_budget", "day", UTC, budget, units, tariff.by_tokens))
    return tuple(rules)


def tariff_of(spec: ServiceSpec) -> Tariff:
    """Return what a request to a service costs."""
    million = (spec.price_per_million_input_tokens_usd, spec.price_per_million_output_tokens_usd)
    return Tariff(price_of(spec.price_per_call_usd), *map(price_of, million))


def is_paid(spec: ServiceSpec) -> bool:
    """Return whether calls to a service cost anything."""
    tariff = tariff_of(spec)
    return tariff.call > 0 or tariff.by_tokens


def most_of(spec: ServiceSpec) -> Tokens | None:
    """Return how many tokens a call may take at most, ``None`` if tokens that cost money have no maximum."""
    tariff = tariff_of(spec)
    if (tariff.input and spec.max_input_tokens is None) or (tariff.output and spec.max_output_tokens is None):
        return None
    return Tokens(spec.max_input_tokens or 0, spec.max_output_tokens or 0)


def tell(mark: Mark) -> None:
    """Log that a limit has reached a mark."""
    whose = mark.owner or "all services"
    used, ceiling = (shown(mark.counter, figure) for figure in (mark.used, mark.ceiling))
    log.warning("%s of %s: %d %% used (%s of %s)", mark.counter, whose, mark.percent, used, ceiling)


def shown(counter: str, figure: int) -> str:
    """Return a counter's figure for people: money as dollars."""
    return f"${figure / MICRO:.2f}" if counter in BUDGETS else str(figure)


def moment(epoch: float) -> str:
    """Return a moment (epoch seconds) for people: ``2024-07-10 04:00:00 UTC``; one no calendar has, as the first or last day."""
    return f"{datetime.fromtimestamp(min(max(0.0, epoch), _LAST), UTC):%Y-%m-%d %H:%M:%S} UTC"
