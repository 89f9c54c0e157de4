"""What passes through the door: a call, its answer, and the client that carries both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from cinegraph_core.records import Mode, Provenance
from cinegraph_core.resilience.budget import Tokens

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""The methods of which RFC 9110 (9.2.2) says that a request sent twice does no more than one."""


class Answer(msgspec.Struct, frozen=True):
    """What a service sent back, whichever client fetched it; ``url`` is the public one, header names are lower case.

    A kept answer says so in ``provenance`` and when it was fetched (epoch seconds); ``None``: it came just now.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    provenance: Provenance | None = None
    fetched_at: float | None = None

    def json(self) -> Any:
        """Return the body as JSON; raises :class:`json.JSONDecodeError` or :class:`UnicodeDecodeError`."""
        return json.loads(self.body)


class Call(msgspec.Struct, frozen=True):
    """One logical call through the door, whatever number of requests it takes.

    ``read`` turns the answer into what the caller wants while the call is still open, so that a broken body or a changed
    layout belongs to the call's own row; it raises a :class:`ServiceError` or :class:`PageError`. What it returns empty (falsy),
    such as a search without hits, is recorded as ``not_found``, a success. ``target`` is the IMDb id, ``title (year)`` or path.
    ``absent_ok`` makes 404 and 410 a proper answer (``not_found``, success). With ``fresh`` a kept answer will not do, and the
    new one takes its place. ``mode`` is for this call alone, whatever the service's own is: ``mock`` asks the replica, ``real``
    the service and nobody else, ``hybrid`` the replica only where the service is refused. Where tokens cost
    money, ``tokens`` is the most that the call may take (``None``: the service's own maximum), and ``usage`` finds those it
    took in the answer, or in what a ``@guarded`` function returned (``None``: they are where OpenAI writes them). Without
    ``retry`` the first answer counts, whatever it is; with it a request may be repeated if its method is :data:`IDEMPOTENT`, or
    if ``idempotent`` says so in the method's place, as of a search by POST. ``tags`` say what the answer is about
    (``film:603``, ``venice-2024``), so that kept answers can be cleared by that.
    """

    service: str
    operation: str
    target: str
    read: Callable[[Answer], Any] | None = None
    absent_ok: bool = False
    fresh: bool = False
    mode: Mode | None = None
    tokens: Tokens | None = None
    usage: Callable[[Any], Tokens | None] | None = None
    retry: bool = True
    tags: tuple[str, ...] = ()
    idempotent: bool | None = None

    def may_be_repeated(self, method: str) -> bool:
        """Tell whether a request of this method may be sent again."""
        return self.retry and (method in IDEMPOTENT if self.idempotent is None else self.idempotent)


class ServiceClient(Protocol):
    """What a plugin is handed to speak to one service; every request goes through the door."""

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, call: Call) -> Any:
        """Send a GET, return what ``call.read`` makes of the answer (without ``read``: the :class:`Answer`).

        Raises :class:`ServiceError` or :class:`PageError`. ``None`` parameters are left out.
        """
        ...

    @property
    def requests_sent(self) -> int:
        """How many HTTP requests have left through this client."""
        ...

    @property
    def provenance(self) -> Provenance:
        """The worst provenance of what this client was answered; before the first answer, that of the service."""
        ...
