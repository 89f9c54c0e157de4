"""A door without any I/O: a test plays the client, and says how each attempt ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.errors import CinegraphError, ServerError
from cinegraph_core.services import CallGuard, Services
from cinegraph_core.services.verdicts import Again, Done
from cinegraph_core.testing import FakeClock
from tests.support.door import NAME, Rows, open_door
from tests.support.waiting import within


class Bench:
    """A door with one service, and a driver that plays the client."""

    def __init__(self, **options: Any) -> None:
        self.settings = {key: options.pop(key) for key in list(options) if key in ("api_key", "deadline", "retries")}
        self.clock = FakeClock()
        self.rows = Rows()
        self.transitions: list[tuple[str, str, str, float | None]] = []
        self.services: Services = open_door(
            ServiceSpec(name=NAME, base_url="https://films.example/api", **options),
            clock=self.clock,
            rows=self.rows,
            services={NAME: self.settings},
            on_transition=lambda *change: self.transitions.append(change),
        )

    def begin(self, read: Callable[[Answer], Any] | None = None, *, absent_ok: bool = False, method: str = "GET") -> CallGuard:
        return self.services.begin(Call(NAME, "movie_details", "tt0000001", read, absent_ok), method=method)

    def run(self, *outcomes: Answer | BaseException, read: Callable[[Answer], Any] | None = None, **call: Any) -> Any:
        """Lead a call through these outcomes, one per attempt; all of them must be wanted."""
        guard, left = self.begin(read, **call), list(outcomes)
        waits: list[float] = []
        self.waits = waits
        try:
            while True:
                attempt = guard.attempt()
                self.clock.advance(attempt.wait)
                guard.leaving(attempt)
                outcome = left.pop(0)
                self.clock.advance(0.1)
                verdict = guard.answered(attempt, outcome) if isinstance(outcome, Answer) else guard.failed(attempt, outcome)
                if isinstance(verdict, Done):
                    return verdict.value
                assert isinstance(verdict, Again)
                waits.append(verdict.wait)
                self.clock.advance(verdict.wait)
        finally:
            assert not left, "an attempt that a test prepared was not made"
            assert guard.ended

    def fails(self, kind: type[CinegraphError], *outcomes: Answer | BaseException, **call: Any) -> Any:
        with pytest.raises(kind) as caught:
            self.run(*outcomes, **call)
        assert type(caught.value) is kind
        return caught.value

    def trip(self) -> None:
        """Open the breaker: four attempts of one call and the first of the next."""
        self.fails(ServerError, *[reply(500)] * 4)
        self.fails(ServerError, reply(500))
        assert self.services.breaker_state(NAME) == "open"
        self.rows.all.clear()


def reply(status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, body, "https://films.example/api/movie/1")


def raiser(error: Exception) -> Callable[[Answer], Any]:
    def read(answer: Answer) -> Any:
        raise error

    return read


def queued(guard: CallGuard) -> bool:
    """Return whether a call comes to be the one that waits for a place, within five seconds."""
    place = guard.missing_place
    return within(5.0, lambda: place is not None and place.waiting == 1)
