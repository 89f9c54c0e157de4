"""Reads a shelf: a page of links, one for each book."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from scrapy import Request, Spider
from scrapy.http import TextResponse


class ShelfSpider(Spider):
    """``scrapy crawl shelf -a site=https://shelf.example/``."""

    name = "shelf"
    site = ""

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the shelf."""
        yield Request(self.site, callback=self.parse_shelf)

    def parse_shelf(self, response: TextResponse) -> Iterator[Request]:
        """Follow every link."""
        yield from response.follow_all(css="a", callback=self.parse_book)

    def parse_book(self, response: TextResponse) -> Iterator[dict[str, Any]]:
        """Take the title."""
        yield {"title": response.css("h1::text").get()}
