"""Obeys each service's robots.txt, fetched once per crawl through the door.

Of the requests that wait for one robots.txt, Scrapy 2.14 to 2.19 lets all but the first two pass unchecked; here every waiter
gets the same answer. Rules are about the real site, so they are read against public addresses.
"""

from __future__ import annotations

import asyncio
import logging
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Request, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import RobotParser
from scrapy.utils.misc import build_from_crawler, load_object

from cinegraph_core.contracts import Call
from cinegraph_core.crawling.house import house_of
from cinegraph_core.crawling.services import CALL, RequestServices, is_led
from cinegraph_core.crawling.tickets import RECEIPT, Receipt
from cinegraph_core.errors import AuthError, BlockedError, ClientError, NotFoundError, PageError, ServiceError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from cinegraph_core.application import Application

_PRIORITY = 1000
_NO_RULES = (NotFoundError, AuthError, BlockedError, ClientError)
"""A 4xx means that there are no rules (RFC 9309, 2.3.1.3); so does a challenge page, which the pages will then meet."""

log = logging.getLogger(__name__)


class RobotsForbiddenError(IgnoreRequest):
    """The service's robots.txt forbids this page."""


class RobotsUnreachableError(IgnoreRequest):
    """The robots.txt could not be fetched, so no page may be (RFC 9309, 2.3.1.4); ``error`` says why."""

    def __init__(self, error: ServiceError | PageError) -> None:
        super().__init__(f"robots.txt could not be fetched: {error}")
        self.error = error


class ServiceRobotsMiddleware:
    """Stands in for Scrapy's RobotsTxtMiddleware; raises :class:`IgnoreRequest` for a page that may not be fetched.

    Honours ``ROBOTSTXT_OBEY``, ``ROBOTSTXT_USER_AGENT``, ``ROBOTSTXT_PARSER``, ``meta["dont_obey_robotstxt"]`` and the signal
    ``robots_parsed``.
    """

    def __init__(self, crawler: Crawler, application: Application) -> None:
        self._crawler = crawler
        self._services = application.services
        self._of = RequestServices(application, crawler.settings)
        self._made_up: set[str] = set()
        """Services whose rules a replica gave in their place."""
        self._lookups: dict[str, asyncio.Task[RobotParser | ServiceError | PageError | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build it for a crawl that obeys."""
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        return cls(crawler, house_of(crawler).application)

    async def process_request(self, request: Request) -> None:
        """Let the request pass or raise :class:`RobotsForbiddenError` or :class:`RobotsUnreachableError`."""
        if request.meta.get("dont_obey_robotstxt") or not is_led(request):
            return
        name = self._of.name_of(request)
        if name not in self._lookups:
            self._lookups[name] = asyncio.ensure_future(self._look_up(name, request))
        # Shielded: one waiter that is cancelled must not take the answer from the others.
        lookup = self._lookups[name]
        rules = await asyncio.shield(lookup)
        if name in self._made_up and self._lookups.get(name) is lookup:
            del self._lookups[name]  # the next page may be the site's own, and then its rules must be too
        if isinstance(rules, Exception):
            raise RobotsUnreachableError(rules)
        url = self._services.public(name, request.url)
        if rules is not None and not rules.allowed(url, self._user_agent(request)):
            self._crawler.stats.inc_value("robotstxt/forbidden")
            log.info("robots.txt of %s forbids %s", name, url)
            raise RobotsForbiddenError(f"robots.txt forbids it: {url}")

    def _user_agent(self, request: Request) -> str | bytes:
        settings = self._crawler.settings
        return settings["ROBOTSTXT_USER_AGENT"] or request.headers.get(b"User-Agent") or settings["USER_AGENT"] or "*"

    async def _look_up(self, name: str, request: Request) -> RobotParser | ServiceError | PageError | None:
        """Return the rules of a service, ``None`` if it has none, or the error that keeps us from knowing."""
        call = Call(service=name, operation="robots_txt", target="/robots.txt", absent_ok=True)
        wanted = Request(
            self._services.join(name, "/robots.txt"),
            priority=_PRIORITY,
            meta={CALL: call, "dont_obey_robotstxt": True},
            callback=NO_CALLBACK,
        )
        self._crawler.stats.inc_value("robotstxt/request_count")
        try:
            response = await self._crawler.engine.download_async(wanted)
        except (ServiceError, PageError) as error:
            if isinstance(error, _NO_RULES) and not _is_our_own(error):
                log.info("%s has no robots.txt for us (%s); everything may be fetched", name, error)
                return None
            log.warning("robots.txt of %s could not be fetched (%s); nothing of it will be in this crawl", name, error)
            return error
        receipt = response.meta.get(RECEIPT)
        if isinstance(receipt, Receipt) and receipt.provenance == "fallback":
            self._made_up.add(name)
        else:
            self._made_up.discard(name)
        if not _holds_rules(response):
            log.info("%s answered HTTP %d and no rules to /robots.txt; everything may be fetched", name, response.status)
            return None
        rules: RobotParser = build_from_crawler(
            load_object(self._crawler.settings["ROBOTSTXT_PARSER"]), self._crawler, response.body
        )
        await self._crawler.signals.send_catch_log_async(signal=signals.robots_parsed, robotparser=rules, request=request)
        return rules


def _is_our_own(error: ServiceError | PageError) -> bool:
    """Return whether the project itself refused the answer (``DOWNLOAD_MAXSIZE``): there may be rules in it."""
    return isinstance(error, ClientError) and error.status is None


def _holds_rules(response: Response) -> bool:
    """Return whether an answer is a robots.txt at all, not an absence or a page (a challenge, say) in its place.

    Its Content-Type says nothing: many a server sends a proper robots.txt as ``text/html``.
    """
    return response.status == 200 and not response.body.removeprefix(BOM_UTF8).lstrip().startswith(b"<")
