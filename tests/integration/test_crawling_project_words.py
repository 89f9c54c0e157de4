"""What a foreign project says by Scrapy's own settings and meta keys of its retries, redirects and reactor holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import MetaRefreshMiddleware
from scrapy.settings import Settings
from scrapy.utils.datatypes import SequenceExclude

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import ConfigurationError
from tests.support.crawling import ADDONS, Crawled, crawl
from tests.support.fault_server import Behaviour, FaultServer, answer, html, reset_at_once
from tests.support.pages import PageSpider

SITE = ServiceSpec("site", "https://www.example.org", kind="site", retries=3)
REFRESH = b'<html><head><meta http-equiv="refresh" content="0; url=/b"></head><body>card</body></html>'


class Asker(Spider):
    """Asks for one page."""

    name = "asker"
    url = ""
    meta: dict[str, Any]

    async def start(self) -> Any:
        yield Request(self.url, meta=dict(self.meta), errback=self.failed)

    def parse(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"status": response.status, "url": response.url, "text": response.text}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value}


def ask(folder: Path, server: FaultServer, path: str, *, meta: dict[str, Any] | None = None, **scrapy: Any) -> Crawled:
    own = {"ROBOTSTXT_OBEY": False, "HTTPERROR_ALLOW_ALL": True, **scrapy}
    spider = type("Ask", (Asker,), {"url": server.url + path, "meta": meta or {}})
    return crawl(folder, spider, SITE, services={"site": {"base_url": server.url}}, scrapy=own)


@pytest.mark.parametrize(
    ("scrapy", "meta", "sent"),
    [
        ({}, {}, 4),
        ({}, {"dont_retry": True}, 1),
        ({}, {"max_retry_times": 0}, 1),
        ({}, {"max_retry_times": 2}, 3),
        ({}, {"max_retry_times": 9}, 4),
        ({"RETRY_ENABLED": False}, {}, 1),
        ({"RETRY_ENABLED": False}, {"max_retry_times": 2}, 1),
        ({"RETRY_TIMES": 1}, {}, 2),
        ({"RETRY_TIMES": 1}, {"max_retry_times": 2}, 3),
        ({"RETRY_TIMES": 9}, {}, 4),
    ],
)
def test_a_request_is_repeated_no_oftener_than_its_project_says(
    server: FaultServer, tmp_path: Path, scrapy: dict[str, Any], meta: dict[str, Any], sent: int
) -> None:
    server.plan("/a", html(503, b"maintenance"))
    run = ask(tmp_path, server, "/a", meta=meta, **scrapy)
    assert [(item["status"], item["text"]) for item in run.items] == [(503, "maintenance")]
    assert server.counts["/a"] == sent
    assert [row.attempts for row in run.rows] == [sent]


def test_a_request_that_is_not_to_be_repeated_does_not_sit_out_a_pause(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(429, b"", {"Retry-After": "60"}), html(200))
    run = ask(tmp_path, server, "/a", meta={"dont_retry": True})
    assert [item["status"] for item in run.items] == [429]
    assert server.counts["/a"] == 1


# ------------------------------------------------------------------------------------------- what leads on


@pytest.mark.parametrize(("scrapy", "came"), [({}, "/b"), ({"METAREFRESH_ENABLED": False}, "/a")])
def test_a_page_that_leads_on_is_followed_as_a_call_of_its_own(
    server: FaultServer, tmp_path: Path, scrapy: dict[str, Any], came: str
) -> None:
    server.plan("/a", html(200, REFRESH))
    server.plan("/b", html(200))
    run = ask(tmp_path, server, "/a", **scrapy)
    assert [item["url"] for item in run.items] == [server.url + came]
    assert [row.target_identifier for row in run.rows] == (["/a", "/b"] if came == "/b" else ["/a"])


def test_a_project_that_has_taken_refreshes_out_gets_none(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", html(200, REFRESH))
    run = ask(tmp_path, server, "/a", DOWNLOADER_MIDDLEWARES={MetaRefreshMiddleware: None})
    assert [item["url"] for item in run.items] == [f"{server.url}/a"]


def test_a_page_that_its_own_reader_read_is_not_loaded_again(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", html(200, REFRESH))
    spider = type("Pages", (PageSpider,), {"base": server.url})
    run = crawl(tmp_path, spider, SITE, services={"site": {"base_url": server.url}}, scrapy={"ROBOTSTXT_OBEY": False})
    assert [item["status"] for item in run.items] == [200]
    assert server.counts == {"/a": 1}


@pytest.mark.parametrize(("handled", "path"), [(SequenceExclude(range(300, 400)), "/b"), (range(300, 400), "/a")])
def test_statuses_that_a_request_handles_may_be_any_container(
    server: FaultServer, tmp_path: Path, handled: Any, path: str
) -> None:
    """Scrapy's media pipelines give one that cannot be walked through."""
    server.plan("/a", answer(302, b"", {"Location": "/b"}))
    server.plan("/b", html(200))
    run = ask(tmp_path, server, "/a", meta={"handle_httpstatus_list": handled})
    assert [item["url"] for item in run.items] == [server.url + path]
    assert [(row.success, row.error_type) for row in run.rows] == [(True, None)]


# ------------------------------------------------------------------------------------------- beside the door


class Refusing:
    """Downloads nothing."""

    lazy = True

    async def download_request(self, request: Request) -> Any:
        raise ConnectionRefusedError(request.url)

    async def close(self) -> None:
        """Have nothing to close."""


def test_what_is_not_http_is_repeated_as_scrapy_does(tmp_path: Path) -> None:
    spider = type("Ask", (Asker,), {"url": "ftp://127.0.0.1/a", "meta": {}})
    scrapy = {"RETRY_TIMES": 2, "DOWNLOAD_HANDLERS": {"ftp": Refusing}}
    run = crawl(tmp_path, spider, scrapy=scrapy)
    assert [type(item["error"]) for item in run.items] == [ConnectionRefusedError]
    assert (run.stats["retry/count"], run.stats["retry/max_reached"]) == (2, 1)
    assert not run.rows


@pytest.mark.parametrize("behaviour", [reset_at_once, answer(503)])
def test_what_is_http_is_repeated_by_the_door_alone(server: FaultServer, tmp_path: Path, behaviour: Behaviour) -> None:
    server.plan("/a", behaviour)
    run = ask(tmp_path, server, "/a", RETRY_TIMES=3)
    assert server.counts["/a"] == 4
    assert [row.attempts for row in run.rows] == [4]
    assert "retry/max_reached" not in run.stats


def test_a_password_in_an_address_is_not_put_on_record(server: FaultServer, tmp_path: Path) -> None:
    class Telling:
        def process_response(self, request: Request, response: Any) -> Any:
            raise ValueError(f"invalid host in {request.url}: us:secret@{request.url[7:]}")

    own = {"ROBOTSTXT_OBEY": False, "DOWNLOADER_MIDDLEWARES": {Telling: 800}}
    server.plan("/a", html(200))
    spider = type("Ask", (Asker,), {"url": server.url.replace("http://", "http://us:secret@") + "/a", "meta": {}})
    run = crawl(tmp_path, spider, scrapy=own)
    (row,) = run.rows
    assert "invalid host" in str(row.error_message)
    assert "secret" not in repr(row)
    assert "secret" not in str(run.items[0]["error"])


@pytest.mark.parametrize("reactor", ["twisted.internet.selectreactor.SelectReactor", None])
def test_a_reactor_without_asyncio_is_refused_at_the_start(reactor: str | None) -> None:
    crawler = Crawler(Asker, Settings({"ADDONS": ADDONS, "TWISTED_REACTOR": reactor}))
    with pytest.raises(ConfigurationError, match=r"TWISTED_REACTOR.*asyncioreactor\.AsyncioSelectorReactor"):
        asyncio.run(crawler.crawl_async())
