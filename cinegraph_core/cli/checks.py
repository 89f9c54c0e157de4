"""What ``cinegraph doctor`` looks at; a check that cannot tell is an error, never silently fine."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from cinegraph_core.application import check_services
from cinegraph_core.clock import SystemClock
from cinegraph_core.errors import CinegraphError, SettingsError
from cinegraph_core.plugins import Plugins, load_plugins
from cinegraph_core.services.modes import AS_CONFIGURED
from cinegraph_core.services.router import Router
from cinegraph_core.services.standing import Standing, read_standing
from cinegraph_core.settings import Settings, check_production, load_settings
from cinegraph_core.storage import Database
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.controls import set_control

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
"""Names under which a Chromium is looked for, in this order."""

_MEND_SCHEMA = "the message says what to do; where single tables or columns differ, go back to a copy or to a new database"
Status = Literal["ok", "warning", "error"]


class _UndoneError(Exception):
    """What was written shall not stay."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    status: Status
    message: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Yield a finding for everything that can be checked without speaking to a service."""
    yield from _guarded("installation", _installation)
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding("settings", "error", str(error), "mend or remove the setting the message names")
        return
    yield from _guarded("settings", lambda: _mode(settings))
    plugins = load_plugins(blocked=settings.disable_plugins)
    for name, check in _CHECKS.items():
        yield from _guarded(name, lambda check=check: check(settings, plugins))  # type: ignore[misc]


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Run a check; one that breaks says so instead of vanishing."""
    try:
        yield from check()
    except CinegraphError as error:
        yield Finding(name, "error", str(error), "the message says what to change")
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a check is its finding
        yield Finding(name, "error", f"unknown: the check itself failed ({type(error).__name__}: {error})", "report this")


def _installation() -> Iterator[Finding]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("cinegraph", "scrapy", "httpx", "sqlmodel"))
    yield Finding("installation", "ok", f"Python {platform.python_version()} on {platform.system()}; {packages}")


def _mode(settings: Settings) -> Iterator[Finding]:
    given = sum(origin != "default" for origin in settings.origins.values())
    check_production(settings)
    message = f"mode {settings.mode} (from: {settings.origins['mode']}); {given} settings are not the default"
    if settings.mode == "mock":
        message += "; every result is MOCK data"
    yield Finding("settings", "ok", message)


def _service_names(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    check_services(settings, plugins)
    for name in sorted(set(settings.services) - set(plugins.services()) - settings.own_services):
        yield Finding("settings", "warning", f"service {name!r} is set but not installed", "see the plugins that are not active")


def _plugins(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    infos = plugins.infos()
    active = [info for info in infos if info.status == "active"]
    yield Finding("plugins", "ok" if active else "error", f"{len(active)} of {len(infos)} plugins are active")
    for info in infos:
        if info.status == "failed":
            remedy = f"update or uninstall {info.distribution}, or block it: CINEGRAPH_DISABLE_PLUGINS={info.name}"
            yield Finding("plugins", "error", f"{info.owner} failed: {info.reason}", remedy)
        elif info.status == "blocked":
            remedy = f"remove {info.name} from CINEGRAPH_DISABLE_PLUGINS ({settings.origins['disable_plugins']}) to use it"
            yield Finding("plugins", "warning", f"{info.owner} is blocked", remedy)
    for name in plugins.unknown_blocked:
        yield Finding("plugins", "warning", f"no plugin {name!r} is installed to be blocked", "mend CINEGRAPH_DISABLE_PLUGINS")


def _keys(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    needing = [spec.name for spec in plugins.services().values() if spec.needs_key]
    keyed = {name for name in needing if settings.service(name).api_key is not None}
    for name in needing:
        if name in keyed:
            yield Finding("keys", "ok", f"{name}: a key is set")
        elif settings.mode_of(name) == "mock":
            yield Finding("keys", "ok", f"{name}: no key is set, and mock mode needs none")
        else:
            # One service may be done without; without any of them nothing can be looked up.
            status: Status = "warning" if keyed else "error"
            remedy = f"set CINEGRAPH_SERVICES__{name.upper()}__API_KEY"
            yield Finding("keys", status, f"{name}: no key is set, so every call to it is refused", remedy)


def _database(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield _missing_file(Path(url.database or ""))
        return
    database = Database(settings.database_url)
    try:
        if problems := database.check():
            yield Finding("database", "error", f"{database.shown_url}: {'; '.join(problems)}", _MEND_SCHEMA)
            return
        database.stamp(settings.mode)
        _write(database)
        yield Finding("database", "ok", f"{database.shown_url} opens, is migrated, and takes writes")
        with database.reading() as session:
            standing = read_standing(session, SystemClock().now())
        yield from _breakers(standing, Router(settings, plugins))
        yield from _patterns(standing)
    except DBAPIError as error:
        remedy = "free its disk, or give this user the right to write; then run it again"
        yield Finding("database", "error", f"{database.shown_url} cannot be used: {error.orig}", remedy)
    finally:
        database.close()


def _write(database: Database) -> None:
    """Write a row and undo it; raises what the database raises where it takes none."""
    with suppress(_UndoneError), database.transaction() as session:
        set_control(session, "doctor", "mode", AS_CONFIGURED, now=SystemClock().now())
        raise _UndoneError


def _missing_file(path: Path) -> Finding:
    folder = path.absolute().parent
    if not folder.is_dir():
        return Finding("database", "error", f"the folder {folder} of the database is absent", f"run: mkdir -p {folder}")
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        remedy = "give this user the right to write there, or set CINEGRAPH_DATABASE_URL to a file elsewhere"
        return Finding("database", "error", f"no database can be created in {folder}: {error.strerror}", remedy)
    return Finding("database", "ok", f"{path} does not exist yet; the first command that needs it creates it")


def _breakers(standing: Standing, router: Router) -> Iterator[Finding]:
    for spec in map(router.spec, router.names()):
        state, probe_at = standing.breaker(spec), standing.probe_at(spec)
        if state == "open" and probe_at is None:
            remedy = f"unset CINEGRAPH_SERVICES__{spec.name.upper()}__BREAKER_MODE, then: cinegraph services breaker reset"
            yield Finding("breakers", "warning", f"{spec.name}: the breaker is open until it is reset", f"{remedy} {spec.name}")
        elif state != "closed":
            until = "" if probe_at is None else f" until its next probe at {probe_at:%Y-%m-%d %H:%M} UTC"
            message = f"{spec.name}: the breaker is {state}{until}"
            yield Finding("breakers", "warning", message, "wait; see how it does: cinegraph services")


def _patterns(standing: Standing) -> Iterator[Finding]:
    for service in sorted(standing.traffic):
        for pattern in standing.patterns(service):
            since = f"{utc(pattern.since):%Y-%m-%d %H:%M} UTC"
            message = f"{service}: {pattern.message}, since {since}"
            yield Finding(
                "traffic",
                "warning",
                message,
                "see how it does, and how often it was asked: cinegraph services, cinegraph metrics summary",
            )


def _replica(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    mocked = {name for name in plugins.services() if settings.mode_of(name) == "mock"}
    if not mocked:
        return
    served = {service for replica in plugins.replicas().values() for service in replica.services}
    if missing := sorted(mocked - served):
        remedy = "install or unblock a plugin that brings a replica, or set CINEGRAPH_MODE=real"
        yield Finding("replica", "error", f"mock mode, and no replica stands in for {', '.join(missing)}", remedy)
    else:
        yield Finding("replica", "ok", f"a replica stands in for all {len(mocked)} mocked services")


def _chromium(settings: Settings, _plugins: Plugins) -> Iterator[Finding]:
    remedy = "apt-get install chromium, or set CINEGRAPH_CHROMIUM to its path"
    found = settings.chromium or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if settings.chromium and shutil.which(settings.chromium) is None:
        yield Finding("chromium", "error", f"CINEGRAPH_CHROMIUM names {settings.chromium}, which is no program", remedy)
    elif found is None:
        yield Finding("chromium", "warning", "no Chromium was found; pages that need a browser cannot be read", remedy)
    elif importlib.util.find_spec("scrapy_playwright") is None:
        remedy = "in Cinegraph's checkout run: pip install '.[browser]'"
        yield Finding("chromium", "warning", f"{found}, but no driver for it", remedy)
    else:
        yield Finding("chromium", "ok", found)


def _record(_settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    sinks = plugins.metrics_sinks()
    if "sql" in sinks:
        yield Finding("record", "ok", f"calls are recorded by: {', '.join(sinks)}")
    else:
        message = "the sink 'sql' is not active: calls are made and not recorded in the database"
        yield Finding("record", "warning", message, "unblock or mend the plugin 'sql'")


def _matchers(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    matchers = plugins.matchers()
    limits = settings.matching
    run = [one for one in matchers if one.level <= limits.max_fallback_level and one.confidence >= limits.min_confidence]
    if not run:
        remedy = "mend the plugins, or CINEGRAPH_MATCHING__MAX_FALLBACK_LEVEL and __MIN_CONFIDENCE"
        yield Finding("matching", "error", f"{len(matchers)} levels are installed and none is run: no film is matched", remedy)
    else:
        yield Finding("matching", "ok", f"levels run: {', '.join(f'{one.level} {one.strategy}' for one in run)}")


_CHECKS: dict[str, Callable[[Settings, Plugins], Iterator[Finding]]] = {
    "settings": _service_names,
    "plugins": _plugins,
    "keys": _keys,
    "database": _database,
    "replica": _replica,
    "chromium": _chromium,
    "record": _record,
    "matching": _matchers,
}
