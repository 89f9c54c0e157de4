"""The door itself: one :class:`Services` per process, through which every byte to an outside service goes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from cinegraph_core.contracts import Call, Clock, ServiceClient, ServiceSpec
from cinegraph_core.plugins import Plugins
from cinegraph_core.records import Mode, Provenance
from cinegraph_core.resilience.breaker import BreakerState
from cinegraph_core.services.agent import user_agent
from cinegraph_core.services.building import OnTransition, StateBuilder
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.modes import Switches
from cinegraph_core.services.router import Router
from cinegraph_core.services.service_client import HttpServiceClient
from cinegraph_core.services.shared import SharedState
from cinegraph_core.services.state import ServiceState
from cinegraph_core.services.states import States
from cinegraph_core.services.verdicts import Attempt, Recorder
from cinegraph_core.services.waiting import admitted, admitted_now
from cinegraph_core.settings import Settings

if TYPE_CHECKING:
    from cinegraph_core.services.transport import AsyncClient, Client, Sharing


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
        self.user_agent = user_agent(settings.contact)
        self._router = Router(settings, plugins)
        self._tracker = tracker
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        total = settings.daily_budget_usd
        builder = StateBuilder(self._router, clock, shared=shared, total_budget=total, on_transition=on_transition, rng=self._rng)
        self._states = States(self._router, builder, clock, shared)
        self._switches = Switches(clock, self._router.refusal)
        if shared is not None:
            shared.join(self._states.breakers)
            shared.join(self._switches)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Sharing]] = WeakKeyDictionary()

    # -------------------------------------------------------------------------------------------- what there is

    def names(self) -> list[str]:
        """Return the names of all services."""
        return self._router.names()

    def adopt(self, spec: ServiceSpec) -> None:
        """Take in a service that no plugin brought, such as the host a foreign spider crawls; a known name stays as it is."""
        self._router.adopt(spec)

    def spec(self, name: str) -> ServiceSpec:
        """Return a service's spec with the settings applied; its ``base_url`` is the public one."""
        return self._router.spec(name)

    def mode(self, name: str) -> Mode:
        """Return the mode a service is in now: the one it is switched to, else that of the settings."""
        return self._switches.mode(name) or self._router.mode(name)

    def configured_mode(self, name: str) -> Mode:
        """Return the mode that the settings give a service."""
        return self._router.mode(name)

    def provenance(self, name: str) -> Provenance:
        """Return the provenance of a service's own answers now: ``mock`` or ``live``."""
        return "mock" if self.mode(name) == "mock" else "live"

    def check(self, *names: str) -> None:
        """Raise :class:`ConfigurationError` with the remedy if mock mode has no replica (for ``names``, if given)."""
        self._router.check(*names)

    # ------------------------------------------------------------------------------------------------ addresses

    def base_url(self, name: str) -> str:
        """Return the address that requests are built with, without a slash at its end; in mock mode this starts the replica.

        A call that goes elsewhere, by a switch or its own mode, is led there by the door.
        """
        return self._router.addresses(name).effective

    def join(self, name: str, href: str) -> str:
        """Return the effective URL of a path or link; raises :class:`ValueError` for a link that leads out of the service.

        ``href`` is a path, a root-relative link (it goes under the base's path) or an absolute URL under either base.
        """
        return self._router.addresses(name).join(href)

    def public(self, name: str, url: str) -> str:
        """Return the public URL of an effective one, without secrets."""
        return self.state(name).redact(self._router.published(name, url))

    def stood_in(self, url: str) -> str | None:
        """Return the service that a running replica stands in for at a URL."""
        return self._router.stood_in(url)

    # ---------------------------------------------------------------------------------------------------- calls

    def begin(self, call: Call, *, method: str = "GET", on_sent: Callable[[], None] | None = None) -> CallGuard:
        """Open one logical call; its guard is to be asked before every request and told what came of it.

        Raises :class:`ConfigurationError` for a call that wants a mode which is not available.
        """
        mode = self._mode_of(call) if call.mode is not None or self._switches.all else None
        states = self._states
        state = states.of(call.service) if mode is None else states.on(call.service, "mock" if mode == "mock" else "live")
        guard = CallGuard(call, state, self.clock, self._tracker, rng=self._rng, method=method, on_sent=on_sent)
        if mode is not None:
            guard.steer(states.stand_in(call.service) if mode == "hybrid" else None)
        return guard

    def begin_own(self, call: Call, *, method: str) -> CallGuard:
        """Open a call that the caller's own function makes, so that no mode can lead it to a replica."""
        state = self.state(call.service)
        guard = CallGuard(call, state, self.clock, self._tracker, rng=self._rng, method=method)
        if state.stand_in is not None:
            guard.steer(None)
        return guard

    async def at_hand(self, guard: CallGuard) -> None:
        """Start, in a thread, the replica a call turns to; a failure shows when the call is sent."""
        if guard.state.provenance != "live" and not self._router.is_running(guard.call.service):
            with suppress(Exception):
                await asyncio.to_thread(self._router.addresses, guard.call.service, "mock")

    def admit(self, guard: CallGuard, pause: Callable[[float], Awaitable[None]] | None = None) -> Awaitable[Attempt]:
        """Return leave for the call's next request, to be awaited until the request may go.

        ``pause`` waits a number of seconds in the clock's place. Raises what :meth:`CallGuard.attempt` and
        :meth:`CallGuard.counted` raise.
        """
        return admitted(guard, self.clock, pause or self.clock.sleep)

    def admit_now(self, guard: CallGuard) -> Attempt:
        """Do the same and block the thread meanwhile."""
        return admitted_now(guard, self.clock)

    def client(self, name: str) -> ServiceClient:
        """Return a fresh client, which counts the requests that leave through it."""
        self.spec(name)
        return HttpServiceClient(self, name)

    def http_client(self, name: str) -> AsyncClient:
        """Return a new httpx client whose every request goes through the door, the caller's to close.

        Within a running event loop it shares its connections with the others of the loop: to close it closes none of theirs,
        and :meth:`aclose` closes all.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._sharing(name).client()
        return self._shared(name).client()

    def house_client(self, name: str) -> AsyncClient:
        """Return the one httpx client of the running event loop that this process's own code sends by; nobody closes it."""
        return self._shared(name).own

    def sync_client(self, name: str) -> Client:
        """Return an ``httpx.Client`` whose every request goes through the door, for callers without an event loop.

        It is the caller's to close; until then a thread of its own does the work. Threads may share it.
        """
        from cinegraph_core.services.transport import blocking_client  # noqa: PLC0415 - httpx is dear to import

        return blocking_client(self, name)

    async def aclose(self) -> None:
        """Close the clients of the running event loop; a later call opens new ones."""
        for shared in self._clients.pop(asyncio.get_running_loop(), {}).values():
            await shared.aclose()

    # ---------------------------------------------------------------------------------------------------- state

    def breaker_state(self, name: str) -> BreakerState:
        """Return the state of a service's breaker: ``closed``, ``open``, ``half_open`` or ``ramp``."""
        return self.state(name).breaker.state(self.clock.monotonic())

    def retry_after(self, name: str) -> float:
        """Return in how many seconds a call to the service is let through again; 0 if it is now, ``inf`` if never by itself."""
        state, now = self.state(name), self.clock.monotonic()
        refused = state.limits.refused_for(self.clock.now())
        return max(state.held(now), (state.breaker.retry_at(now) or now) - now, refused)

    def state(self, name: str) -> ServiceState:
        """Return what the door remembers about a service, on the side that the settings choose."""
        return self._states.of(name)

    def _shared(self, name: str) -> Sharing:
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        if name not in clients:
            clients[name] = self._sharing(name)
        return clients[name]

    def _sharing(self, name: str) -> Sharing:
        from cinegraph_core.services.transport import sharing_clients  # noqa: PLC0415 - httpx is dear to import

        return sharing_clients(self, name)

    def _mode_of(self, call: Call) -> Mode:
        if call.mode is None:
            return self.mode(call.service)
        self._router.check_mode(call.service, call.mode)
        return call.mode
