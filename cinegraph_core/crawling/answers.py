"""Between Scrapy's responses and the door's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec
from scrapy.http import Headers, Request, Response
from scrapy.responsetypes import responsetypes
from scrapy.utils.httpobj import urlparse_cached

from cinegraph_core.contracts import Answer, Call
from cinegraph_core.errors import classify
from cinegraph_core.records import Provenance
from cinegraph_core.services.judging import CallError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings


def answer_of(response: Response, url: str, mark: Provenance | None) -> Answer:
    """Return a response as an answer; ``url`` is its public address, ``mark`` what it says of itself."""
    headers = {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in response.headers.items()}
    return Answer(response.status, headers, response.body, url, mark)


def response_of(answer: Answer, request: Request) -> Response:
    """Return a kept answer as the response of a request."""
    headers = Headers(dict(answer.headers))
    kind = responsetypes.from_args(headers=headers, url=request.url, body=answer.body)
    return kind(request.url, status=answer.status, headers=headers, body=answer.body, flags=["cached"], request=request)


def error_of(exception: Exception, request: Request, service: str, url: str) -> CallError:
    """Return what befell a request as an error of ours.

    Scrapy's words name the address really asked; ours its public one, ``url``, and neither user nor password.
    """
    error = classify(exception, service=service)
    message = str(error).replace(request.url, url)
    user, at, _ = urlparse_cached(request).netloc.rpartition("@")
    if user:
        message = message.replace(user + at, "")
        error.__cause__ = None
    error.args = (message,)
    return error


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
        is_redirect = response.status in (301, 302, 303, 307, 308) and "Location" in response.headers
        if not is_redirect or request.meta.get("dont_redirect") or request.meta.get("handle_httpstatus_all"):
            return False
        # These may be containers that cannot be walked through.
        handled = request.meta.get("handle_httpstatus_list", ()), getattr(self._crawler.spider, "handle_httpstatus_list", ())
        is_handled = any(response.status in statuses for statuses in handled)
        is_last = request.meta.get("redirect_times", 0) >= self._most or not request.meta.get("redirect_ttl", 1)
        return not (is_handled or is_last) and _leads_on(request, response)


def _leads_on(request: Request, response: Response) -> bool:
    """Tell whether a redirect leads to a page, not to a mailbox or a file."""
    location = (response.headers["Location"] or b"").decode("latin-1")
    return urlsplit(urljoin(request.url, location)).scheme in ("http", "https")


class Retries:
    """What a project says by Scrapy's own settings and meta keys of how often a request is tried again."""

    def __init__(self, settings: BaseSettings) -> None:
        self._is_on = settings.getbool("RETRY_ENABLED")
        self._most = settings.getint("RETRY_TIMES") if settings.getpriority("RETRY_TIMES") else None

    def led(self, call: Call, request: Request) -> Call:
        """Return a call as it is to be led: without retries where the project wants none."""
        return msgspec.structs.replace(call, retry=False) if self.most(request) == 0 else call

    def most(self, request: Request) -> int | None:
        """Return how often at most, ``None`` where the project says nothing and the service's own settings count."""
        if not self._is_on or request.meta.get("dont_retry"):
            return 0
        own: int | None = request.meta.get("max_retry_times")
        return self._most if own is None else own
