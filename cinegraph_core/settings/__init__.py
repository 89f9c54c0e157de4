"""Every setting, and the one place that reads them; nobody else reads the environment."""

from cinegraph_core.settings.load import ALIASES, check_service_names, load_settings
from cinegraph_core.settings.model import (
    MatchingSettings,
    ServiceSettings,
    SettingDoc,
    Settings,
    describe_settings,
    mask_password,
)
from cinegraph_core.settings.notices import mock_notice

__all__ = [
    "ALIASES",
    "MatchingSettings",
    "ServiceSettings",
    "SettingDoc",
    "Settings",
    "check_service_names",
    "describe_settings",
    "load_settings",
    "mask_password",
    "mock_notice",
]
