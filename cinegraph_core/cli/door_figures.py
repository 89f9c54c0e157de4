"""What the commands about services read: the services with their settings, and what the database counts of them."""

from __future__ import annotations

from sqlmodel import Session

from cinegraph_core.plugins import load_plugins
from cinegraph_core.services.overview import Counted, Known
from cinegraph_core.services.router import Router
from cinegraph_core.settings import Settings
from cinegraph_core.storage.cache import cache_summary
from cinegraph_core.storage.limits import current_counters


def known_services(settings: Settings) -> Router:
    """Return the installed services with their settings applied."""
    return Router(settings, load_plugins(blocked=settings.disable_plugins))


def read_figures(session: Session, now: float) -> Known:
    """Return what the database counts of the services at a moment (epoch seconds)."""
    counters = [
        Counted(row.owner, row.counter, row.used, row.reserved, row.window_start.timestamp(), row.window_end.timestamp())
        for row in current_counters(session, now)
    ]
    return Known(counters, cache_summary(session, now))
