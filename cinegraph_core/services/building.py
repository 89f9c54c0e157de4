"""How a service's rules and machines are put together, for each side that may answer for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import isinf

from cinegraph_core.contracts import BreakerWindow, Clock, ServiceSpec
from cinegraph_core.resilience.breaker import Breaker, BreakerRules, BreakerState
from cinegraph_core.resilience.cache import Memory
from cinegraph_core.resilience.rate import RateLimit
from cinegraph_core.resilience.retry import MAX_WAIT
from cinegraph_core.resilience.window import CountWindow, TimeWindow, Window
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.cache_shared import Kept
from cinegraph_core.services.limits import Limits
from cinegraph_core.services.modes import Side
from cinegraph_core.services.redaction import Redactor
from cinegraph_core.services.router import Router
from cinegraph_core.services.rules import rules_of
from cinegraph_core.services.shared import SharedState
from cinegraph_core.services.state import ServiceState

OnTransition = Callable[[str, BreakerState, BreakerState, float | None], None]
"""Called with the service, the old and the new state of its breaker, and when a probe may go (epoch seconds)."""
SLOW_AFTER = 5.0
"""Seconds after which an answer counts as slow; a page, which may take longer, has half its timeout."""


class StateBuilder:
    """Builds the :class:`ServiceState` of a service and side.

    The side chosen by the settings shares limits and breaker with all processes. A side reached by a switch or one call's mode
    has its own breaker; a replica reached so has no limits.
    """

    def __init__(
        self,
        router: Router,
        clock: Clock,
        *,
        shared: SharedState | None,
        total_budget: float | None,
        on_transition: OnTransition | None,
        rng: random.Random,
    ) -> None:
        self._router = router
        self._clock = clock
        self._shared = shared
        self._total_budget = total_budget
        self._on_transition = on_transition
        self._rng = rng
        self._memory = Memory()
        self._kept = Kept(shared, self._memory) if shared is not None else None

    def build(self, name: str, side: Side, stand_in: Callable[[], ServiceState] | None = None) -> ServiceState:
        """Return a new state; ``stand_in`` returns that of the replica that answers where this one is refused."""
        router, home = self._router, self._router.side(name)
        spec, credentials = router.spec(name, side), router.credentials(name, side)
        is_counted = side in ("live", home)
        rules = rules_of(spec, self._total_budget) if is_counted else ()
        return ServiceState(
            spec=spec,
            breaker=Breaker(
                _rules(spec), mode=spec.breaker_mode, on_change=self._teller(name) if side == home else None, rng=self._rng
            ),
            rate=RateLimit(spec.rate_per_second),
            credentials=credentials,
            redact=Redactor(router.key(name, side), credentials),
            limits=Limits(spec, rules, clock=self._clock, shared=self._shared if is_counted else None),
            cache=ServiceCache(spec, self._memory, self._kept, self._clock, secrets=credentials.params, provenance=side),
            provenance=side,
            obstacle=router.obstacle(name, side),
            stand_in=stand_in,
            elsewhere=None if side == home else self._reader(name, side),
        )

    def _reader(self, name: str, side: Side) -> Callable[[str], str]:
        """Return a function that turns the address a request was built with into this side's."""
        return lambda url: self._router.addresses(name, side).join(self._router.published(name, url))

    def _teller(self, name: str) -> Callable[[BreakerState, BreakerState, float | None], None]:
        def tell(old: BreakerState, new: BreakerState, retry_at: float | None) -> None:
            if self._on_transition is not None:
                epoch = None if retry_at is None or isinf(retry_at) else self._clock.now() + retry_at - self._clock.monotonic()
                self._on_transition(name, old, new, epoch)

        return tell


def _rules(spec: ServiceSpec) -> BreakerRules:
    """Return a service's breaker rules; a probe's lease covers a wait and the attempt itself."""
    window, timeout = spec.breaker_window, spec.timeout or spec.breaker_wait
    return BreakerRules(
        failures=spec.breaker_failures,
        wait=spec.breaker_wait,
        lease=timeout + MAX_WAIT,
        window=lambda: _window(window),
        minimum=window.minimum,
        failure_rate=window.failure_rate,
        slow_rate=window.slow_rate,
        slow_after=window.slow_after or max(SLOW_AFTER, timeout / 2),
    )


def _window(window: BreakerWindow) -> Window:
    return CountWindow(window.calls) if window.calls else TimeWindow(window.seconds)
