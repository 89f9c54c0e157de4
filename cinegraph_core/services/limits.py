"""How many calls a service may still get: quotas and budgets, counted for all processes together.

The hot path takes from a lease and asks nobody. If the count cannot be reached, leased calls may still go; then all are
refused, because an uncounted call could exceed the limit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from cinegraph_core.contracts import Clock, ServiceSpec
from cinegraph_core.resilience.allowance import Exhausted, Lease
from cinegraph_core.resilience.budget import BUDGETS, Tokens
from cinegraph_core.resilience.calendar import zone_of
from cinegraph_core.resilience.moments import is_astray
from cinegraph_core.resilience.quota import LONGEST_WINDOW, ProvidersWord, calls_left
from cinegraph_core.resilience.retry import MAX_WAIT
from cinegraph_core.services.exhaustion import PROVIDERS_OWN, refusal
from cinegraph_core.services.leasing import LeaseDesk
from cinegraph_core.services.rules import QUOTAS, Rule, most_of, shown, tariff_of
from cinegraph_core.services.shared import Controls, SharedState

log = logging.getLogger(__name__)
_MOST_SIZES = 32
"""So many sizes of calls are told apart exactly; for any further one a little more is reserved: see :func:`_rounded`."""
_STEPS = 16
"""Of the sizes that are not told apart exactly there is one for each step; so many lead from one power of two to the next."""
UNCOUNTED = Lease("", 0.0, 0)
"""What a call of a service without any limit takes."""


@dataclass(slots=True)
class _Family:
    """What the limits for calls of different sizes share: each other, and what the provider says is left."""

    sizes: dict[int | None, Limits] = field(default_factory=dict)
    growing: threading.Lock = field(default_factory=threading.Lock)
    word: ProvidersWord = field(default_factory=ProvidersWord)
    heard: int = 0
    """What the processes have said last about a provider that has nothing left."""


class Limits:
    """The limits of one service, for calls of one size; sizes differ where tokens cost money and calls have different maxima."""

    def __init__(
        self,
        spec: ServiceSpec,
        rules: tuple[Rule, ...],
        *,
        clock: Clock,
        shared: SharedState | None,
        estimate: int | None = None,
        family: _Family | None = None,
    ) -> None:
        self.service = spec.name
        tariff, most = tariff_of(spec), most_of(spec)
        self.by_tokens = tariff.by_tokens
        """Whether a request that left is to be settled by :meth:`pay`."""
        self._spec = spec
        self._tariff = tariff
        self._most = most
        self._reserved = max(1, tariff.cost(most)) if estimate is None and most is not None else estimate
        """Micro-dollars that the rules reserve for a call; ``None`` if nobody says how many tokens it may take."""
        self._family = family or _Family()
        self._family.sizes[self._reserved] = self
        self._word = self._family.word
        self._begins, self._is_over = self._word.under_way.append, self._word.under_way.pop
        self._configured = rules
        self._rules = rules
        self._zone = zone_of(spec.time_zone)
        self._clock = clock
        self._shared = shared
        # Calls that may turn out to cost less are not reserved ahead of need.
        self._desk = LeaseDesk(spec, lambda: self._rules, ahead=not tariff.by_tokens, clock=clock, shared=shared)
        self._allowance = self._desk.allowance
        self._overrun_told = False
        if shared is not None:
            shared.join(self)

    # ------------------------------------------------------------------------------------------------- for a call

    def take(self, now: float) -> Lease | None:
        """Return what one request is counted on, or ``None`` if :meth:`ask` must be waited for first.

        Raises :class:`QuotaExceededError` or :class:`BudgetExceededError` (``now``: epoch seconds).
        """
        word = self._word
        if now >= word.until:
            self._begins(None)
        elif until := word.take(now):
            raise refusal(self._spec, PROVIDERS_OWN, until, now)
        if not self._rules:
            return UNCOUNTED
        try:
            lease = self._allowance.take(now)
        except Exhausted as full:
            self._is_over()
            raise refusal(self._spec, full.limit, full.retry_at, now) from None
        if lease is None:
            self._is_over()
        return lease

    def settle(self, lease: Lease, *, sent: bool) -> None:
        """Say what became of the request: whether it left, and so counts."""
        if sent and self._word.until:
            self._word.used()  # one of those the provider said are left
        self._is_over()
        if lease is UNCOUNTED:
            return
        if sent:
            self._allowance.used(lease)
        else:
            self._allowance.unused(lease)

    def pay(self, lease: Lease, used: Tokens | None, most: Tokens | None = None) -> int | None:
        """Settle a request that left by the tokens it took; ``used`` is ``None`` where nobody says how many those were.

        Then the most it may have taken is counted: ``most``, as given to :meth:`sized`, or without it what the service's
        settings say. What costs more than was reserved is counted in full, and logged once. Returns what it cost in
        micro-dollars, ``None`` if that cannot be told.
        """
        if self._word.until:
            self._word.used()
        self._is_over()
        reserved, taken = self._reserved, used or most or self._most
        cost = None if taken is None else max(0, self._tariff.cost(taken))
        if lease is UNCOUNTED:
            return cost
        more = 0 if cost is None or reserved is None else cost - reserved
        self._allowance.used(lease, more)
        if more > 0 and not self._overrun_told:
            self._overrun_told = True
            real, held = (shown("daily_budget", figure) for figure in (cost or 0, reserved or 0))
            remedy = "raise the most tokens a call may take"
            log.warning("a call to %s cost %s, more than the %s reserved; counted in full; %s", self.service, real, held, remedy)
        if more:
            self._desk.report_at_once()
        return cost

    def sized(self, most: Tokens) -> Limits:
        """Return the limits for calls that may take at most so many tokens, always the same for the same number.

        One object for each of the first sizes, then one for each step of :func:`_rounded`: few, however many maxima there are.
        """
        if not self.by_tokens:
            return self
        estimate = max(1, self._tariff.cost(most))
        sizes = self._family.sizes
        with self._family.growing:
            if estimate not in sizes and len(sizes) >= _MOST_SIZES:
                estimate = _rounded(estimate)
            known = sizes.get(estimate)
            return known if known is not None else self._grow(estimate)

    def ask(self) -> Future[None]:
        """Ask for a lease for everybody who waits; when the result is there, :meth:`take` gives one or raises."""
        return self._desk.ask()

    def heed(self, headers: Mapping[str, str], asked_at: float, now: float) -> float | None:
        """Believe what the provider says is left, in answer to a request counted at ``asked_at`` (epoch seconds).

        To be called before the request is settled. Returns until when nothing is left, ``None`` if something is or nothing is
        said. What is left is a ceiling on the calls of this process; where the provider's window ends within :data:`MAX_WAIT`,
        nobody counts.
        """
        left = calls_left(headers, now)
        if left is None or left.calls == 0:
            return None if left is None else left.until
        if left.until - now > MAX_WAIT:
            self._word.left(left, asked_at, now)
        return None

    def provider_spent(self, until: float) -> None:
        """Believe the provider that nothing is left before ``until`` (epoch seconds), here and in every other process."""
        if self._word.spent(until):
            log.warning("%s says that its quota is used up for %.0f s", self.service, until - self._clock.now())
            if self._shared is not None:
                self._shared.say(self.service, "spent_until", int(until * 1000))

    def refused_for(self, now: float) -> float:
        """Return for how many seconds calls are refused; 0 if they are not, as far as is known here."""
        until = max(self._allowance.refused_until(now) or 0.0, self._word.refused_until(now))
        return max(0.0, until - now)

    # ------------------------------------------------------------------------------ on the thread of the shared state

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Report what was used and give back what is not needed."""
        self._desk.report(shared, ending=ending)

    def obey(self, words: Controls) -> None:
        """Take a person's other quotas, and what another process heard from the provider."""
        self._hear(words.get((self.service, "spent_until"), 0))
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

    def _hear(self, said: int) -> None:
        """Take the word of another process about the provider, or a person's that it is not to be believed any longer."""
        family, now = self._family, self._clock.now()
        if said == family.heard:
            return
        family.heard = said
        if said < 0:
            self._forget()
        elif not is_astray(said / 1000, now + LONGEST_WINDOW):
            self._word.spent(said / 1000)

    def _forget(self) -> None:
        """Believe nothing that the provider said, here or of what the others are still to be told."""
        if not self._word.until:
            return
        if self._shared is not None:
            self._shared.take_back(self.service, "spent_until")  # first: what the provider says meanwhile is to be told
        self._word.forget()
        log.warning("%s: what it said of its own quota was reset by hand; it may be asked", self.service)

    def _grow(self, estimate: int) -> Limits:
        """Return new limits for calls of another size."""
        rules = tuple(replace(rule, units=estimate) if rule.counter in BUDGETS else rule for rule in self._configured)
        return Limits(self._spec, rules, clock=self._clock, shared=self._shared, estimate=estimate, family=self._family)


def _rounded(cost: int) -> int:
    """Return micro-dollars rounded up to the next of :data:`_STEPS` steps between two powers of two: by less than 1 in 16."""
    step = max(1, (1 << cost.bit_length() - 1) // _STEPS)
    return -(-cost // step) * step
