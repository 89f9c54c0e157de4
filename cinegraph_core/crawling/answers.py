"""Between Scrapy's responses and the door's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.http import Headers, Request, Response
from scrapy.responsetypes import responsetypes

from cinegraph_core.contracts import Answer
from cinegraph_core.records import Provenance

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


def answer_of(response: Response, url: str, mark: Provenance | None) -> Answer:
    """Return a response as an answer; ``url`` is its public address, ``mark`` what it says of itself."""
    headers = {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in response.headers.items()}
    return Answer(response.status, headers, response.body, url, mark)


def response_of(answer: Answer, request: Request) -> Response:
    """Return a kept answer as the response of a request."""
    headers = Headers(dict(answer.headers))
    kind = responsetypes.from_args(headers=headers, url=request.url, body=answer.body)
    return kind(request.url, status=answer.status, headers=headers, body=answer.body, flags=["cached"], request=request)


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers of a request by lower-case name."""
    return {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in request.headers.items()}


class Redirects:
    """What Scrapy's RedirectMiddleware does in one crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._most = crawler.settings.getint("REDIRECT_MAX_TIMES") if crawler.settings.getbool("REDIRECT_ENABLED") else 0

    def follow(self, request: Request, response: Response) -> bool:
        """Return whether it is going to follow this answer."""
        leads_on = response.status in (301, 302, 303, 307, 308) and "Location" in response.headers
        if not leads_on or request.meta.get("dont_redirect") or request.meta.get("handle_httpstatus_all"):
            return False
        handled = [*request.meta.get("handle_httpstatus_list", ()), *getattr(self._crawler.spider, "handle_httpstatus_list", ())]
        return response.status not in handled and request.meta.get("redirect_times", 0) < self._most
