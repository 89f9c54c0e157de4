"""In hybrid mode a replica may answer in a service's place; that does not make the service healthy."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from cinegraph_core.services.health import Checked, HealthChecker
from tests.support.fault_server import FaultServer, answer
from tests.support.modes import NAME, SPEC, House, house

PROBED = replace(SPEC, probe="/film", breaker_failures=50)


def check(home: House) -> Checked:
    async def look() -> Checked:
        try:
            (found,) = await HealthChecker(home.application.services, home.application.database).check(NAME)
        finally:
            await home.application.services.aclose()
        return found

    return asyncio.run(look())


def test_a_probe_asks_the_service_itself(server: FaultServer, tmp_path: Path) -> None:
    with house(tmp_path, server, spec=PROBED) as home:
        server.plan("/3/film", answer(503))
        assert check(home).health.status == "down"
        assert home.asked == (1, 0)


def test_a_row_tells_that_the_service_was_asked_in_vain_before_its_replica(server: FaultServer, tmp_path: Path) -> None:
    with house(tmp_path, server, spec=PROBED) as home:
        server.plan("/3/film", answer(503))
        home.ask()
        home.shut()
        home.ask()
        asked, refused = home.rows
        assert (asked.provenance, dict(asked.metadata)) == ("fallback", {"unanswered": 1})
        assert (refused.provenance, dict(refused.metadata)) == ("fallback", {})
