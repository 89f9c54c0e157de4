"""How many calls a service may still get: quotas and budgets, counted for all processes together.

The hot path takes from a lease and asks nobody. Where the count cannot be reached, what is leased may still be used; then
calls are refused, because a limit that does not hold would be none.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from cinegraph_core.contracts import Clock, ServiceSpec
from cinegraph_core.errors import BudgetExceededError, ConfigurationError, QuotaExceededError, ServiceError
from cinegraph_core.resilience.allowance import Allowance, Exhausted, Granted, Lease, Limit, Mark, Report
from cinegraph_core.resilience.budget import MICRO, budget_of, price_of
from cinegraph_core.resilience.calendar import Period, Window, window, zone_of
from cinegraph_core.services.shared import Controls, SharedState

if TYPE_CHECKING:
    from cinegraph_core.storage.shared_store import SharedStore

log = logging.getLogger(__name__)
LEASE = 10.0
"""Seconds within which leased calls have to begin; short, so that a killed process does not hold them for long."""
_GRACE = 10.0
"""Seconds beyond lease and timeout after which a lease counts as used up: its process has gone silent."""
_ASK_AGAIN = 1.0
"""Seconds a refusal is taken as final; then somebody may have given places back."""
_LONGEST_CALL = 300.0
QUOTAS: Mapping[str, Period] = {"hourly_quota": "hour", "daily_quota": "day"}
BUDGETS = frozenset({"daily_budget", "total_daily_budget"})
UNREACHABLE = "shared count"
UNCOUNTED = Lease("", 0.0, 0)
"""What a call of a service without any limit takes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A ceiling per calendar ``period`` of a zone, of which each call takes ``units``; ``owner`` is empty for a common one."""

    owner: str
    counter: str
    period: Period
    zone: tzinfo
    ceiling: int
    units: int = 1


class Limits:
    """The limits of one service."""

    def __init__(self, spec: ServiceSpec, rules: tuple[Rule, ...], *, clock: Clock, shared: SharedState | None) -> None:
        self.service = spec.name
        self._configured = rules
        self._rules = rules
        self._zone = zone_of(spec.time_zone)
        self._silence = LEASE + min(spec.timeout or _LONGEST_CALL, _LONGEST_CALL) + _GRACE
        self._clock = clock
        self._shared = shared
        self._allowance = Allowance()
        self._spent_until = 0.0
        self._asking = threading.Lock()
        self._waiting = 0
        self._asked: Future[None] | None = None
        if shared is not None:
            shared.join(self)

    # ------------------------------------------------------------------------------------------------- for a call

    def take(self, now: float) -> Lease | None:
        """Return what one request is counted on, or ``None`` if :meth:`supply` must be awaited first.

        Raises :class:`QuotaExceededError` or :class:`BudgetExceededError` (``now``: epoch seconds).
        """
        if now < self._spent_until:
            raise self._error("provider's own quota", self._spent_until - now)
        if not self._rules:
            return UNCOUNTED
        try:
            return self._allowance.take(now)
        except Exhausted as refusal:
            raise self._error(refusal.limit, refusal.retry_at - now) from None

    def settle(self, lease: Lease, *, sent: bool) -> None:
        """Say what became of the request: whether it left, and so counts."""
        if lease is UNCOUNTED:
            return
        if sent:
            self._allowance.used(lease)
        else:
            self._allowance.unused(lease)

    async def supply(self) -> None:
        """Fetch a lease for everybody who waits; afterwards :meth:`take` gives one or raises."""
        await asyncio.shield(asyncio.wrap_future(self._ask()))

    def supply_now(self) -> None:
        """Do the same for a caller that is no coroutine."""
        self._ask().result()

    def provider_spent(self, until: float) -> None:
        """Believe the provider that nothing is left before ``until`` (epoch seconds), here and in every other process."""
        if until > self._spent_until:
            self._spent_until = until
            log.warning("%s says that its quota is used up for %.0f s", self.service, until - self._clock.now())
            if self._shared is not None:
                self._shared.say(self.service, "spent_until", int(until * 1000))

    def refused_for(self, now: float) -> float:
        """Return for how many seconds calls are refused; 0 if they are not, as far as is known here."""
        until = max(self._allowance.refused_until(now) or 0.0, self._spent_until)
        return max(0.0, until - now)

    # ------------------------------------------------------------------------------ on the thread of the shared state

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Report what was used and give back what is not needed."""
        reports = self._allowance.report(ending=ending)
        while reports:
            try:
                marks = shared.use(partial(_settle, reports[-1]))
            except Exception:
                for report in reports:
                    self._allowance.undelivered(report)
                raise
            reports.pop()
            for mark in marks:
                _tell(mark)

    def obey(self, words: Controls) -> None:
        """Take a person's other quotas, and what another process heard from the provider."""
        self._spent_until = max(self._spent_until, words.get((self.service, "spent_until"), 0) / 1000)
        rules = tuple(
            replace(rule, ceiling=words.get((self.service, rule.counter), rule.ceiling)) if rule.owner else rule
            for rule in self._configured
        )
        named = {rule.counter for rule in rules}
        for counter, period in QUOTAS.items():
            if counter not in named and (self.service, counter) in words:
                rules = (*rules, Rule(self.service, counter, period, self._zone, words[self.service, counter]))
        if rules != self._rules:
            self._rules = rules
            self._allowance.reconsider()

    def _ask(self) -> Future[None]:
        with self._asking:
            self._waiting += 1
            if self._asked is not None:
                return self._asked
            asked = self._asked = Future[None]()
        if self._shared is None or not self._shared.submit(self._fetch):
            self._fetch()
        return asked

    def _fetch(self) -> None:
        with self._asking:
            asked, self._asked = self._asked, None
            needed, self._waiting = self._waiting, 0
        try:
            self._lease(needed)
        except Exception as error:  # noqa: BLE001 - a guard that breaks must refuse, and must not leave anybody waiting
            log.error("no call to %s can be counted, so none may go: %s", self.service, error)  # noqa: TRY400
            again = self._clock.now() + _ASK_AGAIN
            self._allowance.refuse(UNREACHABLE, again, ask_again=again)
        finally:
            if asked is not None:
                asked.set_result(None)

    def _lease(self, needed: int) -> None:
        if self._shared is None:
            raise ConfigurationError("there is no database to count in")
        rules, now = self._rules, self._clock.now()
        limits = [_in_window(rule, window(rule.period, now, rule.zone)) for rule in rules]
        ahead = self._allowance.ahead()
        answer = self._shared.use(
            lambda store: store.lease(self.service, limits, needed=needed, ahead=ahead, now=now, expires_at=now + self._silence)
        )
        if isinstance(answer, Granted):
            until = min(now + LEASE, *(limit.end for limit in limits))
            self._allowance.grant(Lease(answer.key, until, answer.calls), now)
        else:
            self._allowance.refuse(answer.counter, answer.until, ask_again=min(now + _ASK_AGAIN, answer.until))

    def _error(self, limit: str, seconds: float) -> ServiceError:
        kind = BudgetExceededError if limit in BUDGETS else QuotaExceededError
        if limit == UNREACHABLE:
            message = f"calls to {self.service} are limited and cannot be counted now, so none may go (the log says why)"
        else:
            message = f"the {limit.replace('_', ' ')} of {self.service} is used up; it begins anew in {seconds:.0f} s"
        return kind(message, service=self.service, retry_after=seconds)


def rules_of(spec: ServiceSpec, total_daily_budget_usd: float | None) -> tuple[Rule, ...]:
    """Return the limits that a spec, with the settings put in, and the budget of all services together mean for a service."""
    zone, price = zone_of(spec.time_zone), price_of(spec.price_per_call_usd)
    quotas = (("hourly_quota", spec.hourly_quota), ("daily_quota", spec.daily_quota))
    rules = [Rule(spec.name, counter, QUOTAS[counter], zone, ceiling) for counter, ceiling in quotas if ceiling is not None]
    if price == 0:
        if spec.daily_budget_usd is not None:
            log.warning("%s has a budget but no price per call, so the budget is never used up", spec.name)
        return tuple(rules)
    if spec.daily_budget_usd is not None:
        rules.append(Rule(spec.name, "daily_budget", "day", zone, budget_of(spec.daily_budget_usd), price))
    if total_daily_budget_usd is not None:
        rules.append(Rule("", "total_daily_budget", "day", UTC, budget_of(total_daily_budget_usd), price))
    return tuple(rules)


def _in_window(rule: Rule, now: Window) -> Limit:
    return Limit(rule.owner, rule.counter, rule.ceiling, rule.units, now.start, now.end)


def _settle(report: Report, store: SharedStore) -> list[Mark]:
    return store.settle(report.lease.key, used=report.used, back=report.back)


def _tell(mark: Mark) -> None:
    whose = mark.owner or "all services"
    used, ceiling = (shown(mark.counter, figure) for figure in (mark.used, mark.ceiling))
    log.warning("%s of %s: %d %% used (%s of %s)", mark.counter, whose, mark.percent, used, ceiling)


def shown(counter: str, figure: int) -> str:
    """Return a counter's figure for people: money as dollars."""
    return f"${figure / MICRO:.2f}" if counter in BUDGETS else str(figure)
