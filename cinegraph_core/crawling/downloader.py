"""Scrapy's downloader, which tells the door what no middleware hears: when a request leaves, and an answer others reject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from scrapy.core.downloader import Downloader

from cinegraph_core.crawling.door import DoorMiddleware
from cinegraph_core.crawling.endings import final_error
from cinegraph_core.crawling.tickets import TICKET, HeldBackError, Ticket

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.core.downloader.handlers import DownloadHandlers
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure


class DoorDownloader(Downloader):
    """Scrapy's own downloader; a project that sets ``DOWNLOADER`` derives its own from this one.

    A request may wait long in a slot, by ``DOWNLOAD_DELAY`` or AutoThrottle, which says nothing about the service. And no
    other middleware hears of an exception that one raises on an answer, of a request that it puts in the place of the first,
    or of a download that its caller gives up, so the call would never end.
    """

    tells_departures = True
    """Sets :attr:`Ticket.has_left`; without it the door takes every request for one that left."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.handlers = cast("DownloadHandlers", _Gate(self.handlers, self.active))

    def fetch(self, request: Request, spider: Spider | None = None) -> Deferred[Response | Request]:  # noqa: ARG002
        """Send a request through the middlewares; what the door did not hear of is told to it afterwards."""
        fetched: Deferred[Response | Request] = super().fetch(request)
        return fetched.addCallbacks(self._pass_on, self._tell, callbackArgs=(request,), errbackArgs=(request,))

    def _pass_on(self, result: Response | Request, request: Request) -> Response | Request:
        door = self.crawler.get_downloader_middleware(DoorMiddleware)
        if door is not None and (ticket := request.meta.get(TICKET)) is not None:
            door.fetched(request, ticket, result)
        return result

    def _tell(self, failure: Failure, request: Request) -> Any:
        error = failure.value
        door = self.crawler.get_downloader_middleware(DoorMiddleware)
        if door is None:
            return failure
        ticket: Ticket | None = request.meta.get(TICKET)
        if not isinstance(error, Exception):  # whoever waited for the download has given it up
            if ticket is not None and error is not None:
                door.give_up(request, ticket, error)
            return failure
        if ticket is not None and (result := door.process_exception(request, error)) is not None:
            return result
        final = final_error(error)
        if final is not None:
            raise final
        return failure


class _Gate:
    """The last place that a request passes before it goes to the network."""

    def __init__(self, handlers: DownloadHandlers, active: set[Request]) -> None:
        self._handlers = handlers
        self._active = active

    async def download_request_async(self, request: Request) -> Response:
        """Send a request, unless its service has asked for a pause, or its breaker has opened, since it got leave.

        Nor does one leave that was given up while it waited in a slot.
        """
        if request not in self._active:
            raise HeldBackError("nobody waits for it any longer")
        ticket: Ticket | None = request.meta.get(TICKET)
        if ticket is not None and ticket.attempt is not None:
            if not ticket.guard.departs():
                raise HeldBackError(f"{ticket.call.service} is to be left alone")
            ticket.has_left = True
        return await self._handlers.download_request_async(request)
