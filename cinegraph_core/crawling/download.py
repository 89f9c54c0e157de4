"""Scrapy's own download handler without its hidden second try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class OneAttemptDownloadHandler(HTTP11DownloadHandler):
    """Sends a request once.

    Twisted's pool silently repeats a GET whose kept-alive connection was reset: a request that neither the breaker nor the
    record would see. The door repeats it instead.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool.retryAutomatically = False
