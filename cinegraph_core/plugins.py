"""Loads the installed plugins, each one in isolation, and hands out what they brought.

A plugin is an entry point of the group ``cinegraph``; Cinegraph's own come in by the same door. Whatever goes wrong in
one (an import that fails, a misspelt hook, a hook that breaks half-way, a name taken twice) leaves that plugin ``failed``
with its distribution, version and reason, and the rest at work.
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar

import pluggy

from cinegraph_core import hookspecs
from cinegraph_core.contracts import AlertChannel, Enricher, Matcher, MetricsSink, Registered, Replica, ServiceSpec, Source
from cinegraph_core.errors import PluginError
from cinegraph_core.installed import Installed, PluginInfo, failing, installed

__all__ = ["KINDS", "Installed", "PluginInfo", "Plugins", "assemble", "load_plugins"]

KINDS: Mapping[str, type[Registered]] = {
    "source": Source,
    "matcher": Matcher,
    "metrics_sink": MetricsSink,
    "enricher": Enricher,
    "alert_channel": AlertChannel,
    "service": ServiceSpec,
    "replica": Replica,
}
"""What each hook registers."""

_log = logging.getLogger(__name__)
_R = TypeVar("_R", bound=Registered)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What became of one plugin, and what it brought."""

    info: PluginInfo
    objects: tuple[Registered, ...] = ()


class Plugins:
    """What the active plugins brought, by kind."""

    def __init__(self, loaded: Sequence[_Loaded], unknown_blocked: Sequence[str] = ()) -> None:
        self._infos = sorted((one.info for one in loaded), key=lambda info: (info.name, info.distribution))
        self._objects = [thing for one in loaded for thing in one.objects]
        self.unknown_blocked = tuple(unknown_blocked)
        """Names that were to be blocked and belong to no installed plugin."""

    def infos(self) -> list[PluginInfo]:
        """Return every plugin found, active or not, by name."""
        return list(self._infos)

    @property
    def has_gaps(self) -> bool:
        """Whether a plugin is blocked or failed, so that something may be missing that settings speak of."""
        return any(info.status != "active" for info in self._infos)

    def sources(self) -> dict[str, Source]:
        """Return the sources by name."""
        return self._by_name(Source)

    def matchers(self) -> list[Matcher]:
        """Return the levels of the cascade, lowest level first, then by name."""
        return sorted(self._by_name(Matcher).values(), key=lambda matcher: (matcher.level, matcher.name))

    def metrics_sinks(self) -> dict[str, MetricsSink]:
        """Return the destinations of measurements by name."""
        return self._by_name(MetricsSink)

    def enrichers(self) -> dict[str, Enricher]:
        """Return the enrichers by name."""
        return self._by_name(Enricher)

    def alert_channels(self) -> dict[str, AlertChannel]:
        """Return the alert channels by name."""
        return self._by_name(AlertChannel)

    def services(self) -> dict[str, ServiceSpec]:
        """Return the outside services by name."""
        return self._by_name(ServiceSpec)

    def replicas(self) -> dict[str, Replica]:
        """Return the stand-ins for mock mode by name."""
        return self._by_name(Replica)

    def _by_name(self, kind: type[_R]) -> dict[str, _R]:
        return {thing.name: thing for thing in sorted(self._of(kind), key=lambda thing: thing.name)}

    def _of(self, kind: type[_R]) -> Iterator[_R]:
        return (thing for thing in self._objects if isinstance(thing, kind))


def load_plugins(*, blocked: Collection[str] = (), strict: bool = False) -> Plugins:
    """Load every installed plugin whose name is not ``blocked``.

    A blocked plugin is not even imported. Raises :class:`PluginError` only when ``strict``, for authors and tests.
    """
    return assemble(list(installed()), blocked=blocked, strict=strict)


def assemble(found: Sequence[Installed], *, blocked: Collection[str] = (), strict: bool = False) -> Plugins:
    """Load these plugins, each in isolation, and settle whose names clash."""
    unknown = _warn_of_unknown(set(blocked), {one.info.name for one in found})
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    loaded = []
    for one in _without_double_names(found):
        if one.info.name in blocked:
            loaded.append(_Loaded(replace(one.info, status="blocked", reason="blocked by CINEGRAPH_DISABLE_PLUGINS")))
        else:
            loaded.append(_load(manager, one))
    loaded = _without_clashes(loaded)
    for info in (one.info for one in loaded if one.info.status == "failed"):
        _report(info, strict=strict)
    return Plugins(loaded, unknown)


def _warn_of_unknown(blocked: set[str], known: set[str]) -> list[str]:
    unknown = sorted(blocked - known)
    for name in unknown:
        nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
        hint = f"; the nearest is {nearest[0]!r}" if nearest else ""
        _log.warning("no plugin %r is installed, so CINEGRAPH_DISABLE_PLUGINS cannot block it%s", name, hint)
    return unknown


def _without_double_names(found: Sequence[Installed]) -> Iterator[Installed]:
    """Turn every plugin whose name another distribution also uses into one that fails without being imported."""
    by_name = defaultdict(list)
    for one in found:
        by_name[one.info.name].append(one.info.owner)
    for one in found:
        owners = by_name[one.info.name]
        if len(owners) > 1:
            message = f"the name is used by two plugins, {' and '.join(sorted(owners))}; uninstall one of them"
            yield Installed(one.info, failing(message))
        else:
            yield one


def _load(manager: pluggy.PluginManager, one: Installed) -> _Loaded:
    """Import a plugin, register it and call its hooks once; every fault ends here.

    What it prints meanwhile goes to standard error: standard output is the command's, and may be one JSON document.
    """
    info = one.info
    try:
        with redirect_stdout(sys.stderr):
            plugin = one.load()
            manager.register(plugin, name=info.name)
            implementations = _implementations(manager, plugin)
            info = replace(info, kinds=tuple(kind for kind in KINDS if kind in implementations))
            return _Loaded(info, tuple(thing for kind in info.kinds for thing in _drain(kind, implementations[kind])))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, SystemExit too, and must harm nobody
        if manager.has_plugin(info.name):
            manager.unregister(name=info.name)
        _log.debug("plugin %s", info.owner, exc_info=error)
        return _Loaded(replace(info, status="failed", reason=_reason(error)))


def _implementations(manager: pluggy.PluginManager, plugin: object) -> dict[str, Callable[[], Any]]:
    """Return the plugin's hook functions by hook; raises :class:`PluginError` for a misspelt or missing one."""
    functions = {}
    for caller in manager.get_hookcallers(plugin) or []:
        (implementation,) = (one for one in caller.get_hookimpls() if one.plugin is plugin)
        if not caller.has_spec() and not implementation.optionalhook:
            (nearest,) = get_close_matches(caller.name, KINDS, n=1, cutoff=0.0)
            raise PluginError(f"it has a hook {caller.name!r} that Cinegraph does not know; the nearest is {nearest!r}")
        if implementation.wrapper or implementation.hookwrapper:
            raise PluginError(f"its hook {caller.name!r} is a wrapper; a hook only registers objects")
        functions[caller.name] = implementation.function
    if not functions:
        raise PluginError(f"it implements no hook; mark at least one of {', '.join(KINDS)} with @hookimpl")
    return functions


def _drain(kind: str, function: Callable[[], Any]) -> Iterator[Registered]:
    """Call a hook and yield its objects; raises :class:`PluginError` for anything that is not of the hook's kind."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(f"its hook {kind!r} is async; hooks are synchronous, what is async lives on the objects")
    expected = KINDS[kind]
    result = function()
    if isinstance(result, expected):
        result = [result]
    if not isinstance(result, Iterable):
        raise PluginError(f"its hook {kind!r} returned {result!r} instead of {expected.__name__} objects")
    for thing in result:
        if not isinstance(thing, expected):
            raise PluginError(f"its hook {kind!r} gave {thing!r} instead of a {expected.__name__}")
        yield thing


def _without_clashes(loaded: Sequence[_Loaded]) -> list[_Loaded]:
    """Fail every plugin that brought an object whose kind and name another object also has."""
    owners = defaultdict(list)
    for one in loaded:
        for thing in one.objects:
            owners[_title(thing)].append(one.info.owner)
    result = []
    for one in loaded:
        reasons = [
            f"{title} is brought by {' and '.join(sorted(owners[title]))}; block or uninstall one of them"
            for title in dict.fromkeys(map(_title, one.objects))
            if len(owners[title]) > 1
        ]
        result.append(_Loaded(replace(one.info, status="failed", reason="; ".join(reasons))) if reasons else one)
    return result


def _title(thing: Registered) -> str:
    kind = next(kind for kind, expected in KINDS.items() if isinstance(thing, expected))
    return f"the {kind} {thing.name!r}"


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, PluginError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _report(info: PluginInfo, *, strict: bool) -> None:
    message = f"plugin {info.owner} failed: {info.reason}"
    if strict:
        raise PluginError(message)
    _log.warning("%s", message)
