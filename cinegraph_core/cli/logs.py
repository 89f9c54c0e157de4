"""Where log lines go and from which level on: standard error, quiet unless somebody asks."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cinegraph_core.settings import Settings


def begin(*, debug: bool) -> None:
    """Send log lines to standard error: warnings and worse, or with ``debug`` all."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s: %(message)s", force=True)
    _set_level(logging.DEBUG if debug else logging.WARNING)


def follow(settings: Settings) -> None:
    """Use the level that was set; the default is too verbose for a terminal and is ignored; --debug wins."""
    if settings.origins["log_level"] != "default" and logging.getLogger().level != logging.DEBUG:
        _set_level(logging.getLevelNamesMapping()[settings.log_level])


def _set_level(level: int) -> None:
    root = logging.getLogger()
    root.setLevel(level)
    # The handler too: Scrapy gives its own loggers a level, which would override the root logger's.
    for handler in root.handlers:
        handler.setLevel(level)
