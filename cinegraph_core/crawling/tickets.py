"""What travels with a request through Scrapy: the ticket of its call, and at the end the door's receipt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from cinegraph_core.contracts import Call
from cinegraph_core.errors import ServiceError, classify
from cinegraph_core.records import Provenance
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.flights import Flight
from cinegraph_core.services.verdicts import Attempt


class HeldBackError(IgnoreRequest):
    """A request that had leave must not go, because its service has asked for a pause meanwhile."""


RECEIPT = "cinegraph_receipt"
"""Meta key of a response: the :class:`Receipt` the door gave for it."""
TICKET = "cinegraph_ticket"
"""Meta key of a request under way: its :class:`Ticket`."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The door's word that a response came through it; ``value`` is what ``call.read`` made of the answer.

    ``fetched_at`` is in seconds since the epoch; ``attempts`` counts the requests that left for it.
    """

    call: Call
    value: Any
    provenance: Provenance
    attempts: int
    fetched_at: float


@dataclass(eq=False)
class Ticket:
    """A call under way, travelling in the meta of its request through retries and redirects.

    ``attempt`` is the one whose end is not known yet; ``due`` is when the next may begin and ``given_back`` when the request
    went back to Scrapy (monotonic seconds), where it ``is_queued`` until it comes again. Others may wait for its ``flight``.
    """

    call: Call
    given_back: float
    due: float
    guard: CallGuard = field(init=False)
    attempt: Attempt | None = None
    has_left: bool = False
    """Whether the request of ``attempt`` has gone to the network."""
    is_queued: bool = False
    is_behind: bool = False
    """Whether it waits behind the requests of other services."""
    own_timeout: float | None = None
    """The request's ``download_timeout`` as it came, which it gets back in the end."""
    flight: Flight | None = None
    cache: ServiceCache | None = None
    """The cache that was asked; the side that answers in the end may have another."""
    key: str | None = None
    path: str = ""
    url: str = ""

    def is_kept(self, response: Response) -> bool:
        """Return whether an answer came from Scrapy's own HTTP cache, so that nothing left for it."""
        return not self.has_left and "cached" in response.flags

    def give_back(self, now: float, wait: float = 0.0) -> None:
        """Note that the request goes back to Scrapy, to come again after ``wait`` seconds."""
        self.given_back, self.due, self.is_queued = now, now + wait, True

    def redirected(self, now: float, *, is_kept: bool = False) -> None:
        """Go on with the same call at another address; a kept redirect counts nowhere."""
        attempt, self.attempt = self.attempt, None
        if is_kept:
            self.guard.withdrawn()
        elif attempt is not None:
            self.guard.redirected(attempt)
        self.give_back(now)

    def abandon(self, reason: BaseException, *, sent: bool) -> None:
        """End a call given up from outside; one that was never tried says nothing of its service and leaves no row."""
        if not (sent or self.guard.tried):
            self.guard.forget()
            return
        error = classify(reason)
        if isinstance(error, ServiceError):
            error.sent = sent
        self.guard.abandon(error)
