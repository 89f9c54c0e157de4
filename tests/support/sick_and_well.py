"""Two services behind one door: one that hangs at a gate, and a healthy one."""

from __future__ import annotations

import threading
from typing import Any

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.services import Services
from tests.support.door import Rows, open_door
from tests.support.fault_server import Exchange, FaultServer, answer

SICK = ServiceSpec("sick", base_url="https://sick.example", retries=0, breaker_failures=1000)
WELL = ServiceSpec("well", base_url="https://well.example", retries=0)


class Gate:
    """A behaviour that answers once the gate is open, and knows how many stand before it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.open.wait(10.0)
        with self._lock:
            self.inside -= 1
        answer()(exchange)


def door(server: FaultServer, *, clock: Any = None, **sick: Any) -> tuple[Services, Rows]:
    rows = Rows()
    given = {"sick": {"base_url": server.url, **sick}, "well": {"base_url": server.url}}
    return open_door(SICK, WELL, clock=clock or SystemClock(), rows=rows, services=given), rows


async def get(services: Services, name: str, path: str) -> Any:
    return await services.client(name).get(path, call=Call(name, "movie_details", "tt1", Answer.json))
