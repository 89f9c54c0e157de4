"""Finds the spiders of every installed source, beside those of the project's own ``SPIDER_MODULES``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from scrapy import Spider
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.misc import load_object

from cinegraph_core.crawling.spider import EditionSpider
from cinegraph_core.errors import PluginError
from cinegraph_core.plugins import load_plugins
from cinegraph_core.settings import load_settings

if TYPE_CHECKING:
    from cinegraph_core.contracts import Source


class PluginSpiderLoader(SpiderLoader):
    """Scrapy's loader, and one spider for each source: its own where it names one, else a generic one.

    A source whose spider cannot be imported is left out with a warning; where names clash, the project's own spider wins.
    """

    sources: Mapping[str, Source]
    """The installed sources by name."""

    def _load_all_spiders(self) -> None:
        super()._load_all_spiders()
        self.sources = load_plugins(blocked=load_settings().disable_plugins).sources()
        for spider in _spiders_of(self.sources.values()):
            self._spiders.setdefault(spider.name, spider)


def _spiders_of(sources: Iterable[Source]) -> Iterator[type[Spider]]:
    for source in sources:
        try:
            yield spider_of(source)
        except Exception as error:  # noqa: BLE001 - importing somebody's module may raise anything, and the rest must work
            warnings.warn(
                f"the spider of the source {source.name!r} is left out: {source.spider} cannot be used "
                f"({type(error).__name__}: {error})",
                RuntimeWarning,
                stacklevel=2,
            )


def spider_of(source: Source) -> type[Spider]:
    """Return the spider a source names as ``package.module:Class``, or a generic one; raises what its import raises."""
    if source.spider is None:
        name = "".join(part.title() for part in source.name.split("_"))
        return type(f"{name}Spider", (EditionSpider,), {"name": source.name, "__module__": __name__})
    spider = load_object(source.spider.replace(":", "."))
    if not (isinstance(spider, type) and issubclass(spider, Spider) and getattr(spider, "name", None)):
        raise PluginError(f"{source.spider} is not a Scrapy spider with a name")
    return spider
