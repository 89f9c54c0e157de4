"""The door itself: one :class:`Services` per process, through which every byte to an outside service goes."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from math import isinf
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from cinegraph_core.contracts import BreakerWindow, Call, Clock, ServiceClient, ServiceSpec
from cinegraph_core.plugins import Plugins
from cinegraph_core.records import Mode, Provenance
from cinegraph_core.resilience.breaker import Breaker, BreakerRules, BreakerState
from cinegraph_core.resilience.cache import Memory
from cinegraph_core.resilience.rate import RateLimit
from cinegraph_core.resilience.retry import MAX_WAIT
from cinegraph_core.resilience.window import CountWindow, TimeWindow, Window
from cinegraph_core.services.breakers import SharedBreakers
from cinegraph_core.services.cache import Kept, ServiceCache
from cinegraph_core.services.call import CallGuard, Recorder
from cinegraph_core.services.limits import Limits, rules_of
from cinegraph_core.services.redaction import Redactor
from cinegraph_core.services.router import Router
from cinegraph_core.services.shared import SharedState
from cinegraph_core.services.state import ServiceState
from cinegraph_core.settings import Settings

if TYPE_CHECKING:
    from cinegraph_core.services.transport import AsyncClient, Client

OnTransition = Callable[[str, BreakerState, BreakerState, float | None], None]
"""Called with the service, the old and the new state of its breaker, and when a probe may go (epoch seconds)."""


class Services:
    """All services of the process: their addresses, their state, and the clients that lead through the door.

    Every method raises :class:`ConfigurationError` for a service nobody brought, naming the nearest.
    """

    def __init__(
        self,
        settings: Settings,
        plugins: Plugins,
        tracker: Recorder,
        clock: Clock,
        *,
        on_transition: OnTransition | None = None,
        rng: random.Random | None = None,
        shared: SharedState | None = None,
    ) -> None:
        self.clock = clock
        self._total_budget = settings.daily_budget_usd
        self._shared = shared
        self._memory = Memory()
        self._kept = Kept(shared, self._memory) if shared is not None else None
        self._router = Router(settings, plugins)
        self._tracker = tracker
        self._on_transition = on_transition
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._states: dict[str, ServiceState] = {}
        self._building = threading.Lock()
        if shared is not None:
            SharedBreakers(self._states, clock, shared)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AsyncClient]] = WeakKeyDictionary()

    # -------------------------------------------------------------------------------------------- what there is

    def names(self) -> list[str]:
        """Return the names of all services."""
        return self._router.names()

    def adopt(self, spec: ServiceSpec) -> None:
        """Take in a service that no plugin brought, such as the host a foreign spider crawls; a known name stays as it is."""
        self._router.adopt(spec)

    def spec(self, name: str) -> ServiceSpec:
        """Return a service's spec with the settings put in; its ``base_url`` is the public one."""
        return self._router.spec(name)

    def mode(self, name: str) -> Mode:
        """Return the mode a service runs in."""
        return self._router.mode(name)

    def provenance(self, name: str) -> Provenance:
        """Return the provenance of a service's answers: ``mock`` or ``live``."""
        return self._router.provenance(name)

    def check(self, *names: str) -> None:
        """Raise :class:`ConfigurationError` with the remedy if mock mode has no replica (for ``names``, if given)."""
        self._router.check(*names)

    # ------------------------------------------------------------------------------------------------ addresses

    def base_url(self, name: str) -> str:
        """Return the address really spoken to, without a slash at its end; in mock mode this starts the replica."""
        return self._router.addresses(name).effective

    def join(self, name: str, href: str) -> str:
        """Return the effective URL of a path or link; raises :class:`ValueError` for a link that leads out of the service.

        ``href`` is a path, a root-relative link (it goes under the base's path) or an absolute URL under either base.
        """
        return self._router.addresses(name).join(href)

    def public(self, name: str, url: str) -> str:
        """Return the public URL of an effective one, without secrets."""
        return self.state(name).redact(self._router.addresses(name).published(url))

    # ---------------------------------------------------------------------------------------------------- calls

    def begin(self, call: Call, *, method: str = "GET", on_sent: Callable[[], None] | None = None) -> CallGuard:
        """Open one logical call; its guard is to be asked before every request and told what came of it."""
        return CallGuard(call, self.state(call.service), self.clock, self._tracker, rng=self._rng, method=method, on_sent=on_sent)

    async def supply(self, name: str) -> None:
        """Fetch what :meth:`CallGuard.counted` said is missing, for all who wait."""
        await self.state(name).limits.supply()

    def supply_now(self, name: str) -> None:
        """Do the same and block the thread meanwhile."""
        self.state(name).limits.supply_now()

    def cache(self, name: str) -> ServiceCache:
        """Return the cache of a service."""
        return self.state(name).cache

    def client(self, name: str) -> ServiceClient:
        """Return a fresh client, which counts the requests that leave through it."""
        from cinegraph_core.services.transport import HttpServiceClient  # noqa: PLC0415 - httpx is dear to import

        self.spec(name)
        return HttpServiceClient(self, name)

    def http_client(self, name: str) -> AsyncClient:
        """Return the httpx client of this event loop whose every request goes through the door.

        Within a running loop it is shared and closed by :meth:`aclose`; without one it is new and the caller's to close.
        """
        from cinegraph_core.services.transport import guarded_client  # noqa: PLC0415 - httpx is dear to import

        try:
            clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        except RuntimeError:
            return guarded_client(self, name)
        if name not in clients or clients[name].is_closed:
            clients[name] = guarded_client(self, name)
        return clients[name]

    def sync_client(self, name: str) -> Client:
        """Return an ``httpx.Client`` whose every request goes through the door, for callers without an event loop.

        It is the caller's to close; until then a thread of its own does the work. Threads may share it.
        """
        from cinegraph_core.services.transport import blocking_client  # noqa: PLC0415 - httpx is dear to import

        return blocking_client(self, name)

    async def aclose(self) -> None:
        """Close the clients of the running event loop; a later call opens new ones."""
        for client in self._clients.pop(asyncio.get_running_loop(), {}).values():
            await client.aclose()

    # ---------------------------------------------------------------------------------------------------- state

    def breaker_state(self, name: str) -> BreakerState:
        """Return the state of a service's breaker: ``closed``, ``open``, ``half_open`` or ``ramp``."""
        return self.state(name).breaker.state(self.clock.monotonic())

    def reset_breaker(self, name: str) -> None:
        """Close a service's breaker by hand; what it remembered of failures and relapses is gone."""
        self.state(name).breaker.reset(self.clock.monotonic())

    def open_breaker(self, name: str) -> None:
        """Refuse every call to a service until :meth:`reset_breaker`."""
        self.state(name).breaker.force_open()

    def retry_after(self, name: str) -> float:
        """Return in how many seconds a call to the service is let through again; 0 if it is now, ``inf`` if never by itself."""
        state, now = self.state(name), self.clock.monotonic()
        refused = state.limits.refused_for(self.clock.now())
        return max(state.held(now), (state.breaker.retry_at(now) or now) - now, refused)

    def state(self, name: str) -> ServiceState:
        """Return what the door remembers about a service."""
        if (known := self._states.get(name)) is not None:
            return known
        with self._building:
            if name not in self._states:
                self._states[name] = self._build(name)
            return self._states[name]

    def _build(self, name: str) -> ServiceState:
        spec, credentials = self._router.spec(name), self._router.credentials(name)
        provenance = self._router.provenance(name)
        return ServiceState(
            spec=spec,
            breaker=Breaker(_rules(spec), mode=spec.breaker_mode, on_change=self._teller(name), rng=self._rng),
            rate=RateLimit(spec.rate_per_second),
            credentials=credentials,
            redact=Redactor(self._router.key(name), credentials),
            limits=Limits(spec, rules_of(spec, self._total_budget), clock=self.clock, shared=self._shared),
            cache=ServiceCache(spec, self._memory, self._kept, self.clock, secrets=credentials.params, provenance=provenance),
            provenance=provenance,
            obstacle=self._router.obstacle(name),
        )

    def _teller(self, name: str) -> Callable[[BreakerState, BreakerState, float | None], None]:
        def tell(old: BreakerState, new: BreakerState, retry_at: float | None) -> None:
            if self._on_transition is not None:
                epoch = None if retry_at is None or isinf(retry_at) else self.clock.now() + retry_at - self.clock.monotonic()
                self._on_transition(name, old, new, epoch)

        return tell


SLOW_AFTER = 5.0
"""Seconds after which an answer counts as slow; a page, which may take longer, has half its timeout."""


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
