"""Every setting, and the one place that reads them; nobody else reads the environment."""

from cinegraph_core.settings.described import SettingDoc, describe_settings, variable_name
from cinegraph_core.settings.groups import MatchingSettings, ServiceSettings
from cinegraph_core.settings.load import ALIASES, check_service_names, load_settings
from cinegraph_core.settings.masking import mask_password
from cinegraph_core.settings.model import Settings
from cinegraph_core.settings.notices import check_production, mock_notice, mocked_services, production_refusal

__all__ = [
    "ALIASES",
    "MatchingSettings",
    "ServiceSettings",
    "SettingDoc",
    "Settings",
    "check_production",
    "check_service_names",
    "describe_settings",
    "load_settings",
    "mask_password",
    "mock_notice",
    "mocked_services",
    "production_refusal",
    "variable_name",
]
