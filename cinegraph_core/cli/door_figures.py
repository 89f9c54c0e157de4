"""What the commands about services read: the services with their settings, and what the database counts of them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import Session

from cinegraph_core.application import check_services
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import ConfigurationError, UsageError
from cinegraph_core.plugins import load_plugins
from cinegraph_core.services.overview import Counted, Known
from cinegraph_core.services.router import Router
from cinegraph_core.settings import Settings
from cinegraph_core.storage.cache import cache_summary
from cinegraph_core.storage.limits import current_counters, overdue_units


def known_services(settings: Settings) -> Router:
    """Return the services with their settings applied, one's own too; raises :class:`SettingsError` for one nobody brought."""
    plugins = load_plugins(blocked=settings.disable_plugins)
    check_services(settings, plugins)
    router = Router(settings, plugins)
    for spec in own_specs(settings):
        router.adopt(spec)
    return router


def own_specs(settings: Settings) -> Iterator[ServiceSpec]:
    """Yield the services that one's own code brings, as far as the settings know them."""
    for name in sorted(settings.own_services):
        yield ServiceSpec(name, base_url="")


def check_names(settings: Settings, *names: str) -> None:
    """Raise :class:`UsageError` naming the nearest for a service that was asked for and that nobody brought."""
    router = known_services(settings)
    for name in names:
        try:
            router.spec(name)
        except ConfigurationError as error:
            raise UsageError(str(error)) from error


def read_figures(session: Session, now: float) -> Known:
    """Return what the database counts of the services at a moment (epoch seconds)."""
    overdue = overdue_units(session, now)
    counters = []
    for row in current_counters(session, now):
        start = row.window_start.timestamp()
        late = overdue[row.owner, row.counter, start]
        counters.append(Counted(row.owner, row.counter, row.used + late, row.reserved - late, start, row.window_end.timestamp()))
    return Known(counters, cache_summary(session, now))
