"""A door with services on one server, and a checker that looks how they do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from cinegraph_core import Measurement
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.services import Services, SharedState
from cinegraph_core.services.health import Checked, HealthChecker
from cinegraph_core.storage import Database
from cinegraph_core.storage.metrics import insert_measurements
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door, run_in
from tests.support.fault_server import Behaviour, Exchange, FaultServer


class House:
    """A door with services on one server, and a checker over it."""

    def __init__(
        self, server: FaultServer, database: Database, *, shared: SharedState | None = None, **settings: dict[str, Any]
    ) -> None:
        self.clock = PatientClock()
        self.rows = Rows()
        self.database = database
        brought = [
            ServiceSpec(name="films", base_url=server.url, probe="/ping", price_per_call_usd=0.002),
            ServiceSpec(name="silent", base_url=server.url),
            ServiceSpec(name="site", base_url=server.url, kind="site"),
        ]
        self.services: Services = open_door(*brought, clock=self.clock, rows=self.rows, services=settings, shared=shared)
        self.checker = HealthChecker(self.services, database)

    def run(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return run_in(self.services, work)

    def check(self, *names: str, **options: Any) -> dict[str, Checked]:
        return {one.service: one for one in self.run(lambda: self.checker.check(*names, **options))}

    def traffic(self, *rows: Measurement) -> None:
        with self.database.transaction() as session:
            insert_measurements(session, rows)

    def call(self, seconds_ago: float = 1.0, **fields: Any) -> Measurement:
        ended = datetime.fromtimestamp(self.clock.now() - seconds_ago, UTC)
        given: dict[str, Any] = {"success": True, "attempts": 1, "response_time_ms": 50.0, "inserted_at": ended} | fields
        return Measurement(source="films", operation="movie_details", target_identifier="x", **given)


def taking(house: House, seconds: float, then: Behaviour) -> Behaviour:
    """Answer after so many seconds of the test's clock."""

    def behave(exchange: Exchange) -> None:
        house.clock.advance(seconds)
        then(exchange)

    return behave
