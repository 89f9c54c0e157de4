"""Finds the plugins that are installed, importing none of them: the entry points of the group ``cinegraph``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from typing import Literal, NoReturn

from cinegraph_core.errors import PluginError

GROUP = "cinegraph"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One line of ``cinegraph plugins``; ``kinds`` are the hooks it implements, ``reason`` says why it is not active."""

    name: str
    version: str
    distribution: str
    kinds: tuple[str, ...] = ()
    status: Literal["active", "blocked", "failed"] = "active"
    reason: str | None = None

    @property
    def owner(self) -> str:
        """The plugin with its distribution and version, as messages name it."""
        return f"{self.name!r} ({self.distribution} {self.version})".replace(" )", ")")


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that is there but not loaded yet; ``load`` imports it."""

    info: PluginInfo
    load: Callable[[], object]


def installed() -> Iterator[Installed]:
    """Yield every entry point of the group, importing none.

    Where a distribution is on the path twice, only the first counts, as it does for imports.
    """
    for name in dict.fromkeys(_distribution_names()):
        found = distribution(name)
        version = _metadata(found, "Version") or "unknown"
        try:
            points = [point for point in found.entry_points if point.group == GROUP]
        except Exception as error:  # noqa: BLE001 - a torn file of somebody else's must not keep us from starting
            yield Installed(PluginInfo(name, version, name), failing(f"its entry_points.txt cannot be read: {error}"))
            continue
        for point in points:
            yield Installed(PluginInfo(point.name, version, name), point.load)


def failing(message: str) -> Callable[[], NoReturn]:
    """Return a ``load`` that raises :class:`PluginError` with this message."""

    def load() -> NoReturn:
        raise PluginError(message)

    return load


def _distribution_names() -> Iterator[str]:
    for found in distributions():
        if f"[{GROUP}]" not in (found.read_text("entry_points.txt") or ""):
            continue
        if name := _metadata(found, "Name"):
            yield name
        else:
            _log.warning("a distribution with a plugin has no name in its METADATA and is passed over: %s", found.locate_file(""))


def _metadata(found: Distribution, key: str) -> str | None:
    return found.metadata[key] if key in found.metadata else None  # noqa: SIM401 - its type has no get()
