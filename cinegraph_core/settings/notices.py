"""What has to be said of the settings before anything begins."""

from __future__ import annotations

from cinegraph_core.settings.model import Settings


def mock_notice(settings: Settings) -> str:
    """Return the sentence that says that all data is made up, empty if it is not."""
    if settings.mode != "mock":
        return ""
    return "MOCK data: the bundled replica answers, no real service is asked (set TMDB_API_KEY for real data)"
