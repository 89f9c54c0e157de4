"""A process that makes calls through a door of its own: ``python -m tests.support.caller '{"database_url": …}'``.

Prints one JSON object: how many calls were answered, and how many ended in each error.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.errors import ServiceError
from tests.support.door import Rows, open_door, shared_state


class _LaterClock(SystemClock):
    """The machine's clock, some seconds ahead."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def now(self) -> float:
        return super().now() + self._ahead


async def _calls(order: dict[str, Any]) -> Counter[str]:
    clock, spec = _LaterClock(order["ahead"]), ServiceSpec(name="films", base_url="https://films.example")
    with shared_state(order["database_url"], clock) as shared:
        settings = {"base_url": order["base_url"], **order["settings"]}
        services = open_door(spec, clock=clock, rows=Rows(), services={"films": settings}, shared=shared)

        async def one(number: int) -> str:
            try:
                await services.client("films").get(
                    order["path"], params={"n": number}, call=Call("films", "request", "/", Answer.json)
                )
            except ServiceError as error:
                return error.error_type
            return "answered"

        outcomes: Counter[str] = Counter()
        for number in range(0, order["calls"], order["parallel"]):
            batch = range(number, number + order["parallel"])
            outcomes.update(await asyncio.gather(*(one(each) for each in batch)))
        await services.aclose()
        return outcomes


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_calls(json.loads(sys.argv[1])))))
