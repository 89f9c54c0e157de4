"""What the commands about services read: the services with their settings, and what the database counts of them."""

from __future__ import annotations

from sqlmodel import Session

from cinegraph_core.application import check_services
from cinegraph_core.errors import ConfigurationError, UsageError
from cinegraph_core.plugins import load_plugins
from cinegraph_core.services.overview import Counted, Known
from cinegraph_core.services.router import Router
from cinegraph_core.settings import Settings
from cinegraph_core.storage.cache import cache_summary
from cinegraph_core.storage.limits import current_counters


def known_services(settings: Settings) -> Router:
    """Return the installed services with their settings applied; raises :class:`SettingsError` for one nobody brought."""
    plugins = load_plugins(blocked=settings.disable_plugins)
    check_services(settings, plugins)
    return Router(settings, plugins)


def check_names(settings: Settings, *names: str) -> None:
    """Raise :class:`UsageError` naming the nearest for a service that was asked for and that nobody brought."""
    router = known_services(settings)
    for name in names:
        if name not in settings.own_services:
            try:
                router.spec(name)
            except ConfigurationError as error:
                raise UsageError(str(error)) from error


def read_figures(session: Session, now: float) -> Known:
    """Return what the database counts of the services at a moment (epoch seconds)."""
    counters = [
        Counted(row.owner, row.counter, row.used, row.reserved, row.window_start.timestamp(), row.window_end.timestamp())
        for row in current_counters(session, now)
    ]
    return Known(counters, cache_summary(session, now))
