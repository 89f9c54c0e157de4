"""Scrapy's side of the door: the addon, the middlewares, the pipelines, the spider of every source.

``ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500}`` gives any Scrapy project the door. The names are looked up
when they are asked for, so that importing the package costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinegraph_core.crawling.addon import CinegraphAddon
    from cinegraph_core.crawling.spider import EditionSpider
    from cinegraph_core.crawling.tickets import Receipt

__all__ = ["CinegraphAddon", "EditionSpider", "Receipt"]

_HOMES = {"CinegraphAddon": "addon", "EditionSpider": "spider", "Receipt": "tickets"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
