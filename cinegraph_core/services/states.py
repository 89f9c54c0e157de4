"""What this process remembers of its services: one state for each side that may answer for one, built when first asked for.

A child of ``fork`` has copies of what its parent holds (leases, places, threads that do not run), and no right to any of it;
so its calls are refused with the way out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from weakref import WeakSet

from cinegraph_core.contracts import Clock
from cinegraph_core.errors import ConfigurationError
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
        self._is_parents = False
        """Whether this process is a child that was forked while its parent had this open."""
        _open.add(self)
        self.breakers = SharedBreakers(clock, shared)

    def of(self, name: str) -> ServiceState:
        """Return the state of a service, on the side that the settings choose."""
        if (known := self._chosen.get(name)) is not None:
            return known
        self._check_process()
        with self._building:
            if name not in self._chosen:
                stand_in = self.stand_in(name) if self._router.mode(name) == "hybrid" else None
                state = self._builder.build(name, self._router.side(name), stand_in)
                self.breakers.join(state)
                self._chosen[name] = state
            return self._chosen[name]

    def on(self, name: str, side: Side) -> ServiceState:
        """Return the state of a service on one side."""
        if side == self._router.side(name):
            return self.of(name)
        self._check_process()
        with self._building:
            if (name, side) not in self._beside:
                state = self._builder.build(name, side)
                if side == "live":
                    self.breakers.join(state, chosen=False)
                self._beside[name, side] = state
            return self._beside[name, side]

    def stand_in(self, name: str) -> Callable[[], ServiceState] | None:
        """Return what gives the state of the replica that may answer in a service's place, ``None`` if none may."""
        return partial(self.on, name, "fallback") if self._router.has_stand_in(name) else None

    def disown(self) -> None:
        """Forget everything, because this process is a child of the one that it belongs to."""
        self._chosen.clear()
        self._beside.clear()
        self._is_parents = True

    def _check_process(self) -> None:
        if self._is_parents:
            raise ConfigurationError(
                "this process was forked from one whose application was open, and may not use what that one holds: open an "
                "application of its own in the child, or start it with multiprocessing's method 'spawn'"
            )


_open: WeakSet[States] = WeakSet()


def _disown_all() -> None:
    for states in list(_open):
        states.disown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)
