"""What this process remembers of its services: one state for each side that may answer for one, built when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from cinegraph_core.contracts import Clock
from cinegraph_core.services.breakers import SharedBreakers
from cinegraph_core.services.building import StateBuilder
from cinegraph_core.services.modes import Side
from cinegraph_core.services.router import Router
from cinegraph_core.services.shared import SharedState
from cinegraph_core.services.state import ServiceState


class States:
    """The states of all services; ``breakers`` keeps those of the sides that the settings choose in step with other processes."""

    def __init__(self, router: Router, builder: StateBuilder, clock: Clock, shared: SharedState | None) -> None:
        self._router = router
        self._builder = builder
        self._chosen: dict[str, ServiceState] = {}
        """By service, the side that the settings choose; any other is among ``_beside``."""
        self._beside: dict[tuple[str, Side], ServiceState] = {}
        self._building = threading.Lock()
        self.breakers = SharedBreakers(self._chosen, clock, shared)

    def of(self, name: str) -> ServiceState:
        """Return the state of a service, on the side that the settings choose."""
        if (known := self._chosen.get(name)) is not None:
            return known
        with self._building:
            if name not in self._chosen:
                stand_in = self.stand_in(name) if self._router.mode(name) == "hybrid" else None
                self._chosen[name] = self._builder.build(name, self._router.side(name), stand_in)
                self.breakers.join(name)
            return self._chosen[name]

    def on(self, name: str, side: Side) -> ServiceState:
        """Return the state of a service on one side."""
        if side == self._router.side(name):
            return self.of(name)
        with self._building:
            if (name, side) not in self._beside:
                self._beside[name, side] = self._builder.build(name, side)
            return self._beside[name, side]

    def stand_in(self, name: str) -> Callable[[], ServiceState] | None:
        """Return what gives the state of the replica that may answer in a service's place, ``None`` if none may."""
        return partial(self.on, name, "fallback") if self._router.has_stand_in(name) else None
