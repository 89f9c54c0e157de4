"""The spider of every source: it schedules pages and hands on editions; what pages say is the source's business."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from scrapy import Request, Spider, signals
from scrapy.exceptions import CloseSpider
from scrapy.http import Response

from cinegraph_core.contracts import Answer, Call, PageInput, PageRequest, PageResult, Source
from cinegraph_core.crawling.arguments import editions_of
from cinegraph_core.crawling.gathering import Gathering
from cinegraph_core.crawling.house import house_of
from cinegraph_core.crawling.services import CALL
from cinegraph_core.crawling.tally import Tally
from cinegraph_core.crawling.tickets import RECEIPT, Receipt
from cinegraph_core.errors import ConfigurationError, NoDataError, NotFoundError, ProvenanceError, UnknownError, UsageError
from cinegraph_core.records import Edition, Provenance
from cinegraph_core.storage.stamp import is_fake

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

    from cinegraph_core.application import Application

log = logging.getLogger(__name__)


class EditionSpider(Spider):
    """Crawls the editions of one source; every ``-a name=value`` goes to its :attr:`Source.plan`.

    Beyond the source's own arguments there are ``years=2019-2024``, ``missing=true`` (only what is not stored yet) and
    ``withdraw=true`` (withdraw all that a page has stopped printing, however much; this is audited). Yields one
    :class:`Edition` when all its pages have answered or failed. Ends with the reason ``no_data`` when the sources say that
    none of the editions exists, and with ``usage_error`` for a wrong argument.
    """

    source_name: ClassVar[str] = ""
    """The source to crawl; by default the one named like the spider."""

    def __init__(self, *, arguments: dict[str, str] | None = None) -> None:
        super().__init__()
        self.arguments = arguments or {}
        self._tally = Tally()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_: Any, **kwargs: Any) -> Self:
        """Take the ``-a`` arguments as they are, so that none of them overwrites an attribute."""
        spider = cls(arguments={name: str(value) for name, value in kwargs.items()})
        spider._set_crawler(crawler)
        crawler.signals.connect(spider._idle, signal=signals.spider_idle)
        return spider

    @property
    def application(self) -> Application:
        """The open house of this crawl."""
        return house_of(self.crawler).application

    @property
    def source(self) -> Source:
        """The source this spider crawls; raises :class:`ConfigurationError` if its plugin is not active."""
        name = self.source_name or self.name
        try:
            return self.application.plugins.sources()[name]
        except KeyError:
            message = f"no active plugin brings the source {name!r} of the spider {self.name!r}; `cinegraph plugins` shows why"
            raise ConfigurationError(message) from None

    @property
    def _this_year(self) -> int:
        return datetime.fromtimestamp(self.application.clock.now(), UTC).year

    async def start(self) -> AsyncIterator[Any]:
        """Yield the requests for the first pages of every edition planned."""
        try:
            errands = await editions_of(self.source, self.arguments, self.application)
        except ConfigurationError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            raise CloseSpider("usage_error" if isinstance(error, UsageError) else "configuration_error") from None
        if not errands:
            log.info("every edition asked for is stored already")
        for errand in errands:
            plan = errand.plan
            gathering = Gathering(plan, this_year=self._this_year, is_rest=errand.is_rest)
            for further in self._requests(gathering, plan.pages):
                yield further
            if not plan.pages:
                log.warning("%s %d: the source %s names no page of it", plan.festival, plan.year, self.source.name)
                for edition in self._finished(gathering):
                    yield edition

    def _requests(self, gathering: Gathering, pages: Iterable[PageRequest]) -> Iterator[Request | Edition]:
        """Yield a request for each page; one whose service no active plugin brings has failed already."""
        for ticket, page in gathering.ask(pages):
            try:
                yield self._request(gathering, ticket, page)
            except ConfigurationError as error:
                log.warning("%s: %s", page.path, error)
                gathering.failed(ticket, page.path, error)
                yield from self._finished(gathering)

    def _request(self, gathering: Gathering, ticket: int, page: PageRequest) -> Request:
        call = Call(
            service=page.service,
            operation=page.operation,
            target=page.path,
            read=partial(self._read, page),
            absent_ok=not page.required,
            # On awards night a kept page would hide the winners.
            fresh=gathering.plan.year >= self._this_year,
            tags=(f"{gathering.plan.festival}-{gathering.plan.year}",),
        )
        return Request(
            self.application.services.join(page.service, page.path),
            callback=self.page_came,
            errback=self.page_failed,
            cb_kwargs={"gathering": gathering, "ticket": ticket},
            meta={CALL: call},
            dont_filter=True,
        )

    def _read(self, page: PageRequest, answer: Answer) -> PageResult:
        application = self.application
        return self.source.read(
            PageInput(page, answer, answer.fetched_at or application.clock.now(), answer.provenance or "live")
        )

    def page_came(self, response: Response, gathering: Gathering, ticket: int) -> Iterator[Request | Edition]:
        """Take a page that came through the door; raises :class:`ConfigurationError` for one that did not."""
        receipt = response.meta.get(RECEIPT)
        if not isinstance(receipt, Receipt):
            raise ConfigurationError(
                f"{response.url} did not come through the door, so nothing of its edition is stored; "
                "put CinegraphAddon into ADDONS and leave its DoorMiddleware in DOWNLOADER_MIDDLEWARES"
            )
        url = self.application.services.public(receipt.call.service, response.url)
        if (fake := self._fake(receipt.provenance)) is not None:
            gathering.failed(ticket, url, fake)
        elif isinstance(receipt.value, PageResult):
            gathering.answered(ticket, url, receipt.value)
            if receipt.value.truncated:
                log.warning("%s: %s", url, receipt.value.truncated)
            yield from self._requests(gathering, receipt.value.follow)
        else:
            gathering.failed(ticket, url, NotFoundError(f"HTTP {response.status}", url=url, status=response.status))
        yield from self._finished(gathering)

    def page_failed(self, failure: Failure) -> Iterator[Edition]:
        """Take note of a page that ended in an error."""
        request: Request = failure.request  # type: ignore[attr-defined]
        call: Call = request.meta[CALL]
        gathering: Gathering = request.cb_kwargs["gathering"]
        url = self.application.services.public(call.service, request.url)
        error = failure.value or UnknownError("the page failed and nobody says why")
        error = self._fake(getattr(error, "provenance", None)) or error
        log.log(logging.INFO if isinstance(error, NoDataError) else logging.WARNING, "%s: %s", url, error)
        gathering.failed(request.cb_kwargs["ticket"], url, error)
        yield from self._finished(gathering)

    def _fake(self, provenance: Provenance | None) -> ProvenanceError | None:
        """Return an error if what a page says (even "nothing") may not be stored as truth in this run, else ``None``."""
        if provenance is None or not is_fake(provenance, self.application.settings.mode):
            return None
        return ProvenanceError(f"the page is {provenance}, and nothing of it may be stored as truth")

    def _finished(self, gathering: Gathering) -> Iterator[Edition]:
        if not gathering.whole:
            return
        edition = gathering.edition()
        self._tally.note(edition, vanished=gathering.vanished, empty=gathering.is_empty)
        self._count(edition)
        yield edition

    def _count(self, edition: Edition) -> None:
        stats = self.crawler.stats
        stats.inc_value("cinegraph/editions")
        for page in edition.pages:
            stats.inc_value(f"cinegraph/pages/{page.outcome}")
            if page.outcome != "ok":
                log.info("%s: %s (%s)", page.url, page.outcome, page.detail)

    def _idle(self) -> None:
        if self._tally.is_empty:
            raise CloseSpider("no_data")

    def closed(self, reason: str) -> None:
        """Say what was not there, and in one line what the crawl brought home."""
        for line in self._tally.lines():
            log.warning("%s", line)
        stats = self.crawler.stats.get_stats()
        counted = {key.removeprefix("cinegraph/"): value for key, value in sorted(stats.items()) if key.startswith("cinegraph/")}
        log.info("%s (%s): %s", self.name, reason, ", ".join(f"{key} {value}" for key, value in counted.items()) or "nothing")
