"""What a crawl is started from: its spider, its replica, its application."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.contracts import Replica, Source
from cinegraph_core.crawling.loader import PluginSpiderLoader, spider_of
from cinegraph_core.crawling.spider import EditionSpider
from cinegraph_core.errors import PluginError
from tests.support.crawling import crawl, opened
from tests.support.fault_server import FaultServer, html
from tests.support.pages import SITE as PAGES
from tests.support.pages import PageSpider
from tests.support.paper import PAPER, SITE, plan, publish_2024, read


def test_a_source_without_a_spider_gets_one() -> None:
    spider = spider_of(PAPER)
    assert issubclass(spider, EditionSpider)
    assert (spider.__name__, spider.name) == ("PaperSpider", "paper")


@pytest.mark.parametrize("spider", ["nowhere.at_all:Spider", "cinegraph_core.contracts:Source", "json:dumps"])
def test_a_spider_that_cannot_be_imported_is_refused(spider: str) -> None:
    broken = Source("torn", plan, read, {}, {}, (), spider=spider)
    with pytest.raises((ImportError, PluginError)):
        spider_of(broken)


def test_the_loader_leaves_out_a_broken_spider_and_says_whose(monkeypatch: pytest.MonkeyPatch) -> None:
    from scrapy.settings import Settings

    from cinegraph_core.crawling import loader
    from cinegraph_core.testing import fresh_plugins

    torn = Source("torn", plan, read, {}, {}, (), spider="nowhere.at_all:Spider")
    monkeypatch.setattr(loader, "load_plugins", lambda blocked: fresh_plugins(PAPER, torn))
    with pytest.warns(RuntimeWarning, match=r"'torn'.*nowhere\.at_all:Spider.*ModuleNotFoundError"):
        spiders = PluginSpiderLoader.from_settings(Settings({"SPIDER_MODULES": []}))
    assert spiders.list() == ["paper"]


def test_two_crawls_share_one_house(server: FaultServer, tmp_path: Path) -> None:
    from scrapy.settings import Settings

    from cinegraph_core.crawling.house import SETTING, House

    with opened(tmp_path, PAPER, SITE) as (application, _):
        settings = Settings({SETTING: application})
        first, second = House.of(settings), House.of(settings.copy())
        assert first is second
        assert first.enter() is second.enter() is application
        asyncio.run(first.leave())
        asyncio.run(second.leave())
        assert application.tracker.flush(1.0)


def test_the_replica_is_started_off_the_event_loop(server: FaultServer, tmp_path: Path) -> None:
    threads: list[threading.Thread] = []

    def start() -> Mapping[str, str]:
        threads.append(threading.current_thread())
        return {"paper_site": server.url}

    publish_2024(server)
    stand_in = Replica("paper_replica", ("paper_site",), start)
    crawl(tmp_path, spider_of(PAPER), PAPER, SITE, stand_in, mode="mock", year="2024")
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    assert server.counts["/2024/lineup"] == 1


class CollectorSpider(PageSpider):
    """Tells how many objects the garbage collector passes over while it crawls."""

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"passed_over": gc.get_freeze_count()}


def passed_over(folder: Path, server: FaultServer) -> int:
    server.plan("/a", html(200, b"card"))
    spider = type("Pages", (CollectorSpider,), {"base": server.url})
    run = crawl(folder, spider, PAGES, services={"site": {"base_url": server.url}}, scrapy={"ROBOTSTXT_OBEY": False})
    return int(run.items[0]["passed_over"])


def test_what_is_loaded_when_a_crawl_begins_is_out_of_the_collectors_rounds_until_it_ends(
    server: FaultServer, tmp_path: Path
) -> None:
    assert gc.get_freeze_count() == 0
    assert passed_over(tmp_path, server) > 10_000
    assert gc.get_freeze_count() == 0


def test_a_project_that_spares_the_collector_itself_is_left_alone(server: FaultServer, tmp_path: Path) -> None:
    gc.freeze()
    try:
        own = gc.get_freeze_count()
        assert passed_over(tmp_path, server) <= own
        assert 0 < gc.get_freeze_count() <= own
    finally:
        gc.unfreeze()
