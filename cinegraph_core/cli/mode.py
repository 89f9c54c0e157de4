"""How every command begins: with the settings, and a word on every screen when what it shows is made up."""

from __future__ import annotations

from cinegraph_core.cli.logs import follow
from cinegraph_core.cli.output import say
from cinegraph_core.settings import Settings, load_settings, mock_notice, mocked_services


def begin() -> Settings:
    """Return the settings, log as they ask, and say on standard error which data is not live.

    Raises :class:`SettingsError` for a setting that is unknown or wrong.
    """
    settings = load_settings()
    follow(settings)
    if notice := mock_notice(settings):
        say(notice)
    return settings


def titled(title: str, settings: Settings) -> str:
    """Return a table's title, marked when the data is not live."""
    if settings.mode == "mock":
        return f"{title} · MOCK data"
    mocked = mocked_services(settings)
    return f"{title} · MOCK data from {', '.join(mocked)}" if mocked else title
