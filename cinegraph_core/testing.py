"""What plugin authors and our own tests test with: a clock turned by hand, fresh plugins, and running replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import cast, get_args

from cinegraph_core.contracts import Registered
from cinegraph_core.errors import PluginError
from cinegraph_core.hookspecs import hookimpl
from cinegraph_core.plugins import KINDS, Installed, PluginInfo, Plugins, assemble, load_plugins


class FakeClock:
    """A :class:`~cinegraph_core.contracts.Clock` that moves only when told to, or when somebody sleeps on it.

    ``start`` is the wall-clock time in seconds since the epoch; the monotonic time starts at 0. ``slept`` lists every
    sleep asked for, in seconds.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._start = start
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        """Return the wall-clock time, in seconds since the epoch."""
        return self._start + self._elapsed

    def monotonic(self) -> float:
        """Return the seconds that have passed on this clock."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once, and give other tasks a turn."""
        self.pause(seconds)
        await asyncio.sleep(0)

    def pause(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        """Turn the clock forward; raises :class:`ValueError` for a negative number of seconds."""
        if seconds < 0:
            raise ValueError(f"a clock does not run backwards ({seconds} s)")
        self._elapsed += seconds


def fresh_plugins(*given: object, strict: bool = True) -> Plugins:
    """Return plugins made of exactly what is given, whatever else is installed.

    Each argument is a plugin (a module, or any object with hooks) or an object of the contract, such as a
    :class:`~cinegraph_core.contracts.Source`. Raises :class:`PluginError` for a broken one; with ``strict=False`` it is
    listed as ``failed``, as in production.
    """
    things = [cast("Registered", one) for one in given if isinstance(one, get_args(Registered))]
    plugins = [one for one in given if not isinstance(one, get_args(Registered))]
    found = [_as_installed(plugin) for plugin in plugins]
    if things:
        found.append(_as_installed(_plugin_of(things)))
    return assemble(found, strict=strict)


@contextmanager
def replica(plugins: Plugins | None = None) -> Iterator[Mapping[str, str]]:
    """Start the installed replicas and yield the base URL of each service they stand in for.

    Each serves on a free loopback port from a daemon thread, which ends with the process.
    Raises :class:`PluginError` when no replica is installed.
    """
    replicas = (plugins or load_plugins()).replicas()
    if not replicas:
        raise PluginError("no replica is installed or active; `cinegraph plugins` shows why")
    urls: dict[str, str] = {}
    for one in replicas.values():
        urls.update(one.start())
    yield urls


def _as_installed(plugin: object) -> Installed:
    name = getattr(plugin, "__name__", type(plugin).__name__).rpartition(".")[2]
    return Installed(PluginInfo(name, "0", "given"), lambda: plugin)


def _plugin_of(things: list[Registered]) -> ModuleType:
    """Return a plugin whose hooks register these objects."""
    plugin = ModuleType("given_objects")
    for kind, expected in KINDS.items():
        of_kind = [thing for thing in things if isinstance(thing, expected)]
        if of_kind:
            setattr(plugin, kind, hookimpl(_returning(of_kind)))
    return plugin


def _returning(things: list[Registered]) -> Callable[[], list[Registered]]:
    return lambda: things
