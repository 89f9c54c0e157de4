"""What is looked at before a command of Scrapy's begins: Scrapy itself would show a traceback."""

from __future__ import annotations

from cinegraph_core.endings import FAILED, complain
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.settings import load_settings


def check_settings() -> None:
    """End the process with one sentence and exit code 1 where the settings are wrong."""
    try:
        load_settings()
    except ConfigurationError as error:
        complain(error)
        raise SystemExit(FAILED) from None
