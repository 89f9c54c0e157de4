"""The same without a Twisted reactor; a module of its own, because it needs aiohttp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class OneAttemptAsyncioDownloadHandler(AiohttpDownloadHandler):
    """Sends a request once; aiohttp, too, silently repeats a GET whose connection was reset."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._session._retry_connection = False
