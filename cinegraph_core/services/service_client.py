"""The client that plugins are handed: paths in, what their reader made of the answer out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cinegraph_core.contracts import Call
from cinegraph_core.errors import PageError, ServiceError
from cinegraph_core.records import Provenance
from cinegraph_core.services.verdicts import Done

if TYPE_CHECKING:
    from cinegraph_core.services.door import Services

CALL = "cinegraph"
"""Extension of a request: its call; of a response: the :class:`Done` with the value read."""
ON_SENT = "cinegraph_on_sent"
"""Extension of a request: called for every attempt that left."""
_TRUST: tuple[Provenance, ...] = ("live", "cache", "stale", "fallback", "mock")


class HttpServiceClient:
    """The :class:`~cinegraph_core.contracts.ServiceClient` that plugins are handed."""

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._sent = 0
        self._heard: set[Provenance] = set()

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, call: Call) -> Any:
        """Send a GET through the door and return what ``call.read`` makes of the answer."""
        try:
            response = await self._services.house_client(self._name).get(
                self._services.join(self._name, path),
                params={name: value for name, value in (params or {}).items() if value is not None} or None,
                extensions={CALL: call, ON_SENT: self._count},
            )
        except (ServiceError, PageError) as error:
            # "No such thing" is an answer too, and may be a replica's.
            self._heard.update(one for one in _TRUST if one == error.provenance)
            raise
        done: Done = response.extensions[CALL]
        self._heard.add(done.answer.provenance or "live")
        return done.value

    @property
    def requests_sent(self) -> int:
        """How many HTTP requests have left through this client."""
        return self._sent

    @property
    def provenance(self) -> Provenance:
        """The worst provenance of what this client was answered; before the first answer, that of the service."""
        return max(self._heard, key=_TRUST.index, default=self._services.provenance(self._name))

    def _count(self) -> None:
        self._sent += 1
