"""A door to one loopback service that wants a key and may send a challenge."""

from __future__ import annotations

from typing import Any

from cinegraph_core.contracts import Answer, Clock, Credentials, ServiceSpec
from cinegraph_core.errors import BlockedError, ServiceError
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, Rows, open_door

KEY = "canary-5f1d"


def judge(reply: Answer) -> ServiceError | None:
    """Find a challenge page, as some sites send it instead of an answer."""
    return BlockedError("a challenge page") if b"challenge" in reply.body else None


SPEC = ServiceSpec(
    name=NAME,
    base_url="https://films.example/3",
    needs_key=True,
    authenticate=lambda key: Credentials(params={"api_key": key}, headers={"X-Key": key}),
    judge=judge,
)


class KeyedBench(Bench):
    """Opens the door by itself; ``settings`` are the service's own."""

    def __init__(self, base_url: str, clock: Clock | None = None, **settings: Any) -> None:
        clock, rows = clock or PatientClock(patient_from=5.0), Rows()
        own = {"base_url": base_url, "api_key": KEY, **settings}
        super().__init__(open_door(SPEC, clock=clock, rows=rows, services={NAME: own}), clock, rows)

    def waits(self) -> list[float]:
        """Return the waits between attempts; the other sleeps are the attempts' own time limits of 5 s."""
        return [seconds for seconds in self.clock.slept if seconds != 5.0]
