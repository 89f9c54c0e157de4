"""What has to be said of the settings before anything begins."""

from __future__ import annotations

from cinegraph_core.errors import SettingsError
from cinegraph_core.records import Mode
from cinegraph_core.settings.described import variable_name
from cinegraph_core.settings.model import Settings


def mock_notice(settings: Settings) -> str:
    """Return the sentence that says which data is made up, empty if none is."""
    if settings.mode == "mock":
        return "MOCK data: the bundled replica answers, no real service is asked (set TMDB_API_KEY for real data)"
    if mocked := mocked_services(settings):
        return f"MOCK data from {', '.join(mocked)}: a replica answers for them, and nothing of theirs is stored as truth"
    return ""


def mocked_services(settings: Settings) -> list[str]:
    """Return the services that a replica answers for although the run is not mock."""
    return [] if settings.mode == "mock" else sorted(name for name, one in settings.services.items() if one.mode == "mock")


def check_production(settings: Settings) -> None:
    """Raise :class:`SettingsError` for a start in production in which a replica could answer."""
    chosen = {"mode": settings.mode, **{f"services.{name}.mode": one.mode for name, one in settings.services.items()}}
    for name, mode in chosen.items():
        if mode is not None and (refusal := production_refusal(settings, mode)):
            raise SettingsError(f"{variable_name(name)}={mode}: {refusal}")


def production_refusal(settings: Settings, mode: Mode) -> str:
    """Return why no service may run in a mode here, and what to do about it; empty if it may."""
    if settings.environment != "production":
        return ""
    where = f"{variable_name('environment')}=production"
    if mode == "mock":
        return f"{where} does not go with mock mode: what a replica says is made up. Set the mode to real, and the service's key"
    if mode == "hybrid" and settings.mock_fallback:
        fallback = variable_name("mock_fallback")
        return f"{where} does not go with hybrid mode and {fallback}: a replica would answer. Set {fallback}=false"
    return ""
