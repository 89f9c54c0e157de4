"""Pages of a session are nobody else's: what Scrapy sends with cookies is neither kept nor answered from what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider

from tests.support.crawling import crawl
from tests.support.fault_server import Exchange, FaultServer, answer, head_of
from tests.support.pages import SITE

pytestmark = pytest.mark.usefixtures("patient_cache")


def greet(exchange: Exchange) -> None:
    """Answer with who asks."""
    who = (exchange.headers.get("cookie") or exchange.headers.get("authorization") or "nobody").encode()
    exchange.send(head_of(200, len(who), {"Content-Type": "text/plain"}) + who)


class Visitor(Spider):
    """Asks for pages one after the other, each with what is given with it."""

    name = "visitor"
    base = ""
    asked: tuple[tuple[str, dict[str, Any]], ...] = ()

    async def start(self) -> Any:
        for place, (path, given) in enumerate(self.asked):
            yield Request(self.base + path, dont_filter=True, priority=-place, **given)

    def parse(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"text": response.text}


class Identify:
    """Adds a header nearer to the network than the door."""

    def process_request(self, request: Request) -> None:
        request.headers["Authorization"] = "Bearer alice"


def texts(folder: Path, server: FaultServer, *asked: tuple[str, dict[str, Any]], **scrapy: Any) -> list[str]:
    """Crawl with the cache on and return what came, in its order."""
    spider = type("Visit", (Visitor,), {"base": server.url, "asked": asked})
    own = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1, **scrapy}
    run = crawl(folder, spider, SITE, services={SITE.name: {"base_url": server.url, "cache_ttl": 1000.0}}, scrapy=own)
    return [item["text"] for item in run.items]


ACCOUNT: tuple[str, dict[str, Any]] = ("/account", {})


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    server.plan("/account", greet)
    server.plan("/login", answer(200, b"welcome", {"Set-Cookie": "session=alice", "Content-Type": "text/plain"}))
    return server


def test_lesson_27_a_page_that_a_session_saw_is_not_kept(server: FaultServer, tmp_path: Path) -> None:
    login = ("/login", {"method": "POST"})
    assert texts(tmp_path, server, login, ACCOUNT, ACCOUNT) == ["welcome", "session=alice", "session=alice"]
    assert texts(tmp_path, server, ACCOUNT, ACCOUNT) == ["nobody", "nobody"]
    assert server.counts["/account"] == 3, "what nobody in particular was shown is kept"


def test_lesson_27_each_of_several_sessions_sees_its_own_page(server: FaultServer, tmp_path: Path) -> None:
    asked = [("/account", {"cookies": {"session": who}, "meta": {"cookiejar": who}}) for who in ("alice", "bob")]
    again = ("/account", {"meta": {"cookiejar": "alice"}})
    third = ("/account", {"meta": {"cookiejar": "carol"}})
    assert texts(tmp_path, server, *asked, again, third) == ["session=alice", "session=bob", "session=alice", "nobody"]
    assert texts(tmp_path, server, *asked, third) == ["session=alice", "session=bob", "nobody"]


@pytest.mark.parametrize(
    ("given", "scrapy"),
    [({"cookies": {"session": "alice"}}, {"COOKIES_ENABLED": False}), ({"meta": {"dont_merge_cookies": True}}, {})],
)
def test_where_scrapy_sends_no_cookies_pages_are_kept_as_ever(
    server: FaultServer, tmp_path: Path, given: dict[str, Any], scrapy: dict[str, Any]
) -> None:
    assert texts(tmp_path, server, ("/login", {}), *[("/account", given)] * 2, **scrapy)[1:] == ["nobody", "nobody"]
    assert server.counts["/account"] == 1


def test_lesson_27_a_page_is_kept_only_as_an_answer_to_what_was_really_sent(server: FaultServer, tmp_path: Path) -> None:
    assert texts(tmp_path, server, ACCOUNT, DOWNLOADER_MIDDLEWARES={Identify: 800}) == ["Bearer alice"]
    assert texts(tmp_path, server, ACCOUNT) == ["nobody"]


def test_what_a_proxy_asks_for_makes_no_other_page(server: FaultServer, tmp_path: Path) -> None:
    class Proxied:
        def process_request(self, request: Request) -> None:
            request.headers["Proxy-Authorization"] = "Basic abc"

    assert texts(tmp_path, server, ACCOUNT, ACCOUNT, DOWNLOADER_MIDDLEWARES={Proxied: 800}) == ["nobody"] * 2
    assert server.counts["/account"] == 1
