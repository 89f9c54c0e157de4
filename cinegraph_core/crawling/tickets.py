"""What travels with a request through Scrapy: the ticket of its call, and at the end the door's receipt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from cinegraph_core.contracts import Answer, Call
from cinegraph_core.crawling.answers import answer_of
from cinegraph_core.errors import ServiceError, classify
from cinegraph_core.records import Provenance
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.flights import Flight
from cinegraph_core.services.verdicts import Attempt, Verdict


class HeldBackError(IgnoreRequest):
    """A request that had leave must not go, because its service has asked for a pause meanwhile, or its breaker has opened."""


class ClosingError(IgnoreRequest):
    """A request waits no further, because the crawl is closing."""


RECEIPT = "cinegraph_receipt"
"""Meta key of a response: the :class:`Receipt` the door gave for it."""
TICKET = "cinegraph_ticket"
"""Meta key of a request under way: its :class:`Ticket`."""
_CUT = frozenset(("download_stopped", "dataloss", "partial"))
"""Flags by which Scrapy says that a response is only a part of its page."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The door's word that a response came through it; ``value`` is what ``call.read`` made of the answer.

    Of a request without a call of its own ``value`` is ``None``: its response is the answer, and what is made with that
    response's meta carries the receipt along, to the disk as well.
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

    In a queue on disk (``JOBDIR``) lies only its ``mark``, which leads back to it while its call goes on in this process; a
    request that another process left there begins a call of its own.
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
    response: Response | None = None
    """The last answer, where it stands in Scrapy's manners if no other attempt follows."""
    flight: Flight | None = None
    cache: ServiceCache | None = None
    """The cache that was asked; the side that answers in the end may have another."""
    key: str | None = None
    path: str = ""
    url: str = ""
    mark: str = ""
    is_cut: bool = False
    """Whether the last answer is known to be only a part."""

    def __reduce__(self) -> tuple[Any, ...]:
        self.mark = self.mark or uuid4().hex
        _on_disk[self.mark] = self
        return _left_at, (self.mark,)

    def ended(self) -> None:
        """Forget where the request lay on disk."""
        if self.mark:
            _on_disk.pop(self.mark, None)

    def receipt(self, answer: Answer, value: Any, now: float) -> Receipt:
        """Return the receipt for an answer and what was made of it; ``now`` is the wall clock."""
        return Receipt(self.call, value, answer.provenance or "live", self.guard.sent, answer.fetched_at or now)

    def judged(self, response: Response, url: str) -> Verdict:
        """Judge an answer, from the network or (as from Scrapy's own cache) not; raises what the call ends with.

        ``url`` is its public address.
        """
        attempt, self.attempt = self.attempt, None
        self.is_cut = not _CUT.isdisjoint(response.flags)
        if attempt is not None and self.has_left:
            return self.guard.answered(attempt, answer_of(response, url, self.guard.state.mark))
        self.guard.withdrawn()
        return self.guard.told(answer_of(response, url, "cache"))

    def give_back(self, now: float, wait: float = 0.0) -> None:
        """Note that the request goes back to Scrapy, to come again after ``wait`` seconds."""
        self.given_back, self.due, self.is_queued = now, now + wait, True

    def goes_on(self, now: float, *, redirected: bool) -> None:
        """Go on with the same call by another request: where a redirect led, or one that was sent in the last one's place.

        What came of a request that was replaced nobody tells; one that never left counts nowhere.
        """
        attempt, self.attempt = self.attempt, None
        if attempt is None or not self.has_left:
            self.guard.withdrawn()
        elif redirected:
            self.guard.redirected(attempt)
        else:
            self.guard.replaced()
        self.give_back(now)

    def abandon(self, reason: BaseException) -> None:
        """End a call given up from outside; one that was never tried says nothing of its service and leaves no row."""
        sent = self.attempt is not None and self.has_left
        self.attempt = None
        if not (sent or self.guard.tried):
            self.guard.forget()
            return
        error = classify(reason)
        if isinstance(error, ServiceError):
            error.sent = sent
        self.guard.abandon(error)


_on_disk: dict[str, Ticket] = {}
"""The tickets of this process whose requests are, or were, in a queue on disk, by their marks."""


def _left_at(mark: str) -> Ticket | None:
    return _on_disk.get(mark)
