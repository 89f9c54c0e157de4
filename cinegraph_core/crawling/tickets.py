"""What travels with a request through Scrapy: the ticket of its call, and at the end the door's receipt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cinegraph_core.contracts import Call
from cinegraph_core.records import Provenance
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.flights import Flight
from cinegraph_core.services.verdicts import Attempt

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
    is_queued: bool = False
    flight: Flight | None = None
    cache: ServiceCache | None = None
    """The cache that was asked; the side that answers in the end may have another."""
    key: str | None = None
    path: str = ""
    url: str = ""

    def give_back(self, now: float, wait: float = 0.0) -> None:
        """Note that the request goes back to Scrapy, to come again after ``wait`` seconds."""
        self.given_back, self.due, self.is_queued = now, now + wait, True
