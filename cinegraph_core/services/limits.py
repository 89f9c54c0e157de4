"""How many calls a service may still get: quotas and budgets, counted for all processes together.

The hot path takes from a lease and asks nobody. Where the count cannot be reached, what is leased may still be used; then
calls are refused, because a limit that does not hold would be none.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from cinegraph_core.contracts import Clock, ServiceSpec
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.resilience.allowance import Allowance, Exhausted, Granted, Lease, Mark, Report
from cinegraph_core.resilience.budget import BUDGETS, Tokens
from cinegraph_core.resilience.calendar import zone_of
from cinegraph_core.services.exhaustion import NO_MAXIMUM, PROVIDERS_OWN, UNREACHABLE, refusal
from cinegraph_core.services.rules import QUOTAS, UNMEASURED, Rule, most_of, shown, tariff_of, tell
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
_MOST_SIZES = 32
"""So many sizes of calls are told apart exactly; any further one is rounded up to a power of two."""
UNCOUNTED = Lease("", 0.0, 0)
"""What a call of a service without any limit takes."""


class Limits:
    """The limits of one service, for calls of one size: where tokens cost money, calls may take different numbers at most."""

    def __init__(self, spec: ServiceSpec, rules: tuple[Rule, ...], *, clock: Clock, shared: SharedState | None) -> None:
        self.service = spec.name
        tariff, most = tariff_of(spec), most_of(spec)
        self.by_tokens = tariff.by_tokens
        """Whether a request that left is to be settled by :meth:`pay`."""
        self._spec = spec
        self._tariff = tariff
        self._estimate = None if most is None else tariff.cost(most)
        self._family: dict[int | None, Limits] = {self._estimate: self}
        self._configured = rules
        self._rules = rules
        self._zone = zone_of(spec.time_zone)
        self._silence = LEASE + min(spec.timeout or _LONGEST_CALL, _LONGEST_CALL) + _GRACE
        self._clock = clock
        self._shared = shared
        self._allowance = Allowance()
        self._spent_until = 0.0
        self._overrun_told = False
        self._growing = threading.Lock()
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
            raise refusal(self._spec, PROVIDERS_OWN, self._spent_until, now)
        if not self._rules:
            return UNCOUNTED
        try:
            return self._allowance.take(now)
        except Exhausted as full:
            raise refusal(self._spec, full.limit, full.retry_at, now) from None

    def settle(self, lease: Lease, *, sent: bool) -> None:
        """Say what became of the request: whether it left, and so counts."""
        if lease is UNCOUNTED:
            return
        if sent:
            self._allowance.used(lease)
        else:
            self._allowance.unused(lease)

    def pay(self, lease: Lease, used: Tokens | None) -> int | None:
        """Settle a request that left by the tokens it took; ``used`` is ``None`` where nobody says how many those were.

        Then the most it may have taken is counted. What costs more than was reserved is counted in full, and logged once.
        Returns what it cost in micro-dollars, ``None`` if that cannot be told.
        """
        estimate = self._estimate
        cost = estimate if used is None else self._tariff.cost(used)
        if lease is UNCOUNTED:
            return cost
        more = 0 if cost is None or estimate is None else cost - estimate
        self._allowance.used(lease, more)
        if more > 0 and not self._overrun_told:
            self._overrun_told = True
            real, most = (shown("daily_budget", figure) for figure in (cost or 0, estimate or 0))
            remedy = "raise the most tokens a call may take"
            log.warning("a call to %s cost %s, more than the %s reserved; counted in full; %s", self.service, real, most, remedy)
        if more and self._shared is not None:
            self._shared.submit(partial(self._deliver_used, self._shared))
        return cost

    def sized(self, most: Tokens) -> Limits:
        """Return the limits for calls that may take at most so many tokens; the same for the same."""
        if not self.by_tokens:
            return self
        estimate = max(1, self._tariff.cost(most))
        with self._growing:
            if estimate not in self._family and len(self._family) >= _MOST_SIZES:
                estimate = 1 << (estimate - 1).bit_length()
            known = self._family.get(estimate)
            return known if known is not None else self._grow(estimate)

    async def supply(self) -> None:
        """Fetch a lease for everybody who waits; afterwards :meth:`take` gives one or raises."""
        await asyncio.shield(asyncio.wrap_future(self._ask()))

    def supply_now(self) -> None:
        """Do the same for a caller that is no coroutine."""
        self._ask().result()

    def provider_spent(self, until: float) -> None:
        """Believe the provider that nothing is left before ``until`` (epoch seconds), here and in every other process."""
        if until > self._spent_until:
            for one in self._family.values():
                one._spent_until = until
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
        self._deliver(shared, self._allowance.report(ending=ending))

    def _deliver_used(self, shared: SharedState) -> None:
        """Report at once: what a call reserved in vain, the next one may need."""
        self._deliver(shared, self._allowance.report(at_once=True))

    def _deliver(self, shared: SharedState, reports: list[Report]) -> None:
        while reports:
            try:
                marks = shared.use(partial(_settle, reports[-1]))
            except Exception:
                for report in reports:
                    self._allowance.undelivered(report)
                raise
            reports.pop()
            for mark in marks:
                tell(mark)

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

    def _grow(self, estimate: int) -> Limits:
        """Add the limits for calls of another size."""
        rules = [replace(rule, units=estimate) if rule.counter in BUDGETS else rule for rule in self._configured]
        other = Limits(self._spec, tuple(rules), clock=self._clock, shared=self._shared)
        other._estimate, other._family, other._growing = estimate, self._family, self._growing
        other._spent_until = self._spent_until
        self._family[estimate] = other
        return other

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
            now = self._clock.now()
            self._allowance.refuse(UNREACHABLE, now + _ASK_AGAIN, now=now, ask_again=now + _ASK_AGAIN)
        finally:
            if asked is not None:
                asked.set_result(None)

    def _lease(self, needed: int) -> None:
        if self._shared is None:
            raise ConfigurationError("there is no database to count in")
        rules, now = self._rules, self._clock.now()
        if any(rule.units == UNMEASURED for rule in rules):
            self._allowance.refuse(NO_MAXIMUM, inf, now=now, ask_again=inf)
            return
        limits = [rule.limit(now) for rule in rules]
        # What may turn out to cost less is not reserved before it is needed.
        ahead = 0 if self.by_tokens else self._allowance.ahead()
        answer = self._shared.use(
            lambda store: store.lease(self.service, limits, needed=needed, ahead=ahead, now=now, expires_at=now + self._silence)
        )
        for mark in answer.marks:
            tell(mark)
        if isinstance(answer, Granted):
            until = min(now + LEASE, *(limit.end for limit in limits))
            self._allowance.grant(Lease(answer.key, until, answer.calls), now)
        else:
            self._allowance.refuse(answer.counter, answer.until, now=now, ask_again=min(now + _ASK_AGAIN, answer.until))


def _settle(report: Report, store: SharedStore) -> list[Mark]:
    return store.settle(report.lease.key, used=report.used, back=report.back, more=report.more)
