"""The words in which a :class:`~cinegraph_core.services.call.CallGuard` speaks with whoever sends the requests."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from cinegraph_core.contracts import Answer
from cinegraph_core.records import Measurement
from cinegraph_core.resilience.breaker import Permit


class Recorder(Protocol):
    """Where measurements go; never raises and never waits (:class:`cinegraph_core.tracking.Tracker`)."""

    def record(self, measurement: Measurement) -> None:
        """Take one measurement."""
        ...


class Attempt(msgspec.Struct, frozen=True):
    """Leave to send one request: wait ``wait`` seconds first, then take no longer than ``timeout`` seconds."""

    wait: float
    timeout: float
    permit: Permit


class Done(msgspec.Struct, frozen=True):
    """The call ended well: what :attr:`Call.read` made of the answer (``None`` for an absence that is fine), and the answer."""

    value: Any
    answer: Answer


class Again(msgspec.Struct, frozen=True):
    """The attempt failed and another one may help: wait ``wait`` seconds, then ask for it."""

    wait: float


class Spared(Exception):  # noqa: N818 - not a fault: the call ended well
    """The call ended with a stale answer in the place of an error; ``done`` holds it."""

    def __init__(self, done: Done) -> None:
        super().__init__(done)
        self.done = done


class Elsewhere(Exception):  # noqa: N818 - not a fault: the call goes on
    """The service is refused and its replica answers in its place: ask the guard for leave again, and send it there."""


class Proper(msgspec.Struct, frozen=True):
    """An answer that may be kept; ``absent``: it properly says that there is no such thing."""

    answer: Answer
    absent: bool


Verdict = Done | Again
