"""A door whose one service is paid by tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.services import Services, guarded
from cinegraph_core.storage import Database
from cinegraph_core.storage.limits import current_counters
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Rows, open_door, shared_state
from tests.support.waiting import within

NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
PRICES: dict[str, Any] = {"price_per_million_input_tokens_usd": 10.0, "price_per_million_output_tokens_usd": 50.0}
SPEC = ServiceSpec(name=NAME, base_url="https://films.example", max_input_tokens=1000, max_output_tokens=1800, **PRICES)
"""A call costs at most $0.01 + $0.09."""
HALF = {"usage": {"prompt_tokens": 500, "completion_tokens": 900}}
"""What a call says that cost $0.05."""


def usage(*, prompt: int, completion: int) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


class Desk:
    """A door whose one service is paid by tokens, and a function of a client library led through it."""

    def __init__(self, services: Services, clock: PatientClock, rows: Rows, database: Database) -> None:
        self.services, self.clock, self.rows, self._database = services, clock, rows, database

    def function(self, outcome: Any = HALF, **options: Any) -> Callable[[], Any]:
        @guarded(SPEC, services=self.services, **options)
        def complete() -> Any:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        return complete

    @property
    def money(self) -> tuple[int, int]:
        """Micro-dollars of the day that are spent, and that are reserved."""
        with self._database.reading() as session:
            rows = [row for row in current_counters(session, self.clock.now()) if row.counter == "daily_budget"]
        return (rows[0].used, rows[0].reserved) if rows else (0, 0)

    def spends(self, used: int) -> bool:
        """Whether so much is spent and nothing reserved, as soon as all is settled."""
        return within(3.0, lambda: self.money == (used, 0))


@contextmanager
def opened(database_url: str, *, spec: ServiceSpec = SPEC, **settings: Any) -> Iterator[Desk]:
    clock, rows, database = PatientClock(NOW, patient_from=5.0, patience=10.0), Rows(), Database(database_url)
    with shared_state(database_url, clock) as shared:
        given = {NAME: {"daily_budget_usd": 1.0, "retries": 0, **settings}}
        yield Desk(open_door(spec, clock=clock, rows=rows, services=given, shared=shared), clock, rows, database)
    database.close()
