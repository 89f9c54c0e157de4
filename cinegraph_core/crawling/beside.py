"""Scrapy's own middlewares where the door does not lead: other schemes than http, refreshes of foreign spiders' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.redirect import MetaRefreshMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.http import Request, Response

from cinegraph_core.crawling.services import CALL, is_led

if TYPE_CHECKING:
    from scrapy import Spider

_REACH = 4 * 4096
"""Bytes; Scrapy looks at the first 4,096 characters of a page, and no encoding of the web takes more than four for one."""


class OtherSchemesRetryMiddleware(RetryMiddleware):
    """Tries again what is not http, such as ``ftp`` and ``s3``; the door repeats its requests itself."""

    def process_response(self, request: Request, response: Response, spider: Spider | None = None) -> Request | Response:  # noqa: ARG002
        """Return the request to send again, or the response."""
        return response if is_led(request) else super().process_response(request, response)

    def process_exception(
        self,
        request: Request,
        exception: Exception,
        spider: Spider | None = None,  # noqa: ARG002
    ) -> Request | Response | None:
        """Return the request to send again, if there is one."""
        return None if is_led(request) else super().process_exception(request, exception)


class ForeignRefreshMiddleware(MetaRefreshMiddleware):
    """Follows ``<meta http-equiv="refresh">``, each time as a call of its own.

    A page that a call's own reader could read is the page, even if it asks to be loaded again every minute.
    """

    def process_response(self, request: Request, response: Response, spider: Spider | None = None) -> Request | Response:  # noqa: ARG002
        """Return the request that the page leads to, or the page."""
        is_final = CALL in request.meta or not _may_ask_to_refresh(response.body)
        return response if is_final else super().process_response(request, response)


def _may_ask_to_refresh(body: bytes) -> bool:
    """Rule out most pages by their bytes, which spares their decoding; in the web's encodings ASCII is itself, but in UTF-16."""
    head = body[:_REACH].lower()
    return b"refresh" in head or b"\0" in head
