"""Refreshes of foreign spiders' pages: what Scrapy would follow is followed, though most pages are ruled out undecoded."""

from __future__ import annotations

import pytest
from scrapy.downloadermiddlewares.redirect import MetaRefreshMiddleware
from scrapy.http import HtmlResponse, Request
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

from cinegraph_core.crawling.beside import ForeignRefreshMiddleware

PAGE = "<html><head><title>{title}</title><META HTTP-EQUIV='{name}' content='0; url=/b'></head></html>"
FOUR_BYTES = "\N{MUSICAL SYMBOL G CLEF}"


def followed_by(kind: type[MetaRefreshMiddleware], body: bytes, encoding: str) -> str:
    """Return the address a page leads to, its own if to none."""
    request = Request("https://www.example.org/a")
    response = HtmlResponse(request.url, headers={"content-type": f"text/html; charset={encoding}"}, body=body, request=request)
    return middleware(kind).process_response(request, response).url


def middleware(kind: type[MetaRefreshMiddleware]) -> MetaRefreshMiddleware:
    return build_from_crawler(kind, get_crawler())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "shift_jis", "iso-2022-jp", "gb18030", "koi8-r", "cp1252"])
@pytest.mark.parametrize(
    ("title", "name", "path"), [("a", "refresh", "/b"), ("a", "ReFresh", "/b"), ("refresh", "x-ua-compatible", "/a")]
)
def test_a_refresh_is_found_in_every_encoding_of_the_web(encoding: str, title: str, name: str, path: str) -> None:
    body = PAGE.format(title=title, name=name).encode(encoding)
    assert followed_by(ForeignRefreshMiddleware, body, encoding) == f"https://www.example.org{path}"
    assert followed_by(MetaRefreshMiddleware, body, encoding) == f"https://www.example.org{path}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
@pytest.mark.parametrize(("letters", "path"), [(4000, "/b"), (4096, "/a")])
def test_it_is_sought_as_far_as_scrapy_looks(encoding: str, letters: int, path: str) -> None:
    body = PAGE.format(title=FOUR_BYTES * letters, name="refresh").encode(encoding)
    assert followed_by(ForeignRefreshMiddleware, body, encoding) == f"https://www.example.org{path}"
    assert followed_by(MetaRefreshMiddleware, body, encoding) == f"https://www.example.org{path}"


def test_a_page_without_one_is_not_decoded() -> None:
    request = Request("https://www.example.org/a")
    response = HtmlResponse(request.url, body=PAGE.format(title="a", name="x-ua-compatible").encode(), request=request)
    assert middleware(ForeignRefreshMiddleware).process_response(request, response) is response
    assert response._cached_ubody is None
