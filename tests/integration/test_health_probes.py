"""Looking how services do, over real HTTP: what is asked, what it costs, what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.services import SharedState
from cinegraph_core.services.health import AT_ONCE, INTERVAL, Checked, HealthChecker
from cinegraph_core.storage import Database
from cinegraph_core.storage.health import last_health
from cinegraph_core.storage.shared_store import SharedStore
from cinegraph_core.storage.state import record_transition
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, hang, refusing_url
from tests.support.health import House, taking
from tests.support.waiting import within


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """One kind is enough: what is read and kept is tested on both."""
    opened = Database(f"sqlite:///{tmp_path / 'films.db'}")
    opened.prepare("live")
    yield opened
    opened.close()


@pytest.fixture
def house(server: FaultServer, database: Database) -> House:
    return House(server, database)


def told(checked: Checked) -> tuple[str, str]:
    return checked.health.status, checked.health.reason


def test_who_has_no_traffic_is_asked_once_and_who_has_no_probe_is_unknown(house: House, server: FaultServer) -> None:
    server.plan("/ping", answer())
    found = house.check()
    assert told(found["films"])[0] == "healthy"
    assert told(found["silent"]) == ("unknown", "nobody asked it in the last 5 minutes; it has no probe that could tell")
    assert told(found["site"])[0] == "healthy", "a site without a robots.txt has answered too"
    assert server.counts == {"/ping": 1, "/robots.txt": 1}
    assert (found["films"].requests, found["films"].cost_usd) == (1, 0.002)
    assert (found["silent"].requests, found["silent"].cost_usd) == (0, 0.0)
    assert {(row.source, row.operation, row.attempts) for row in house.rows.all} == {("films", "probe", 1), ("site", "probe", 1)}


@pytest.mark.parametrize(
    ("behaviour", "status", "words"),
    [
        (answer(503), "down", "did not answer a probe: server_error"),
        (answer(429, headers={"Retry-After": "1"}), "degraded", "asks to be left alone"),
        (answer(401), "down", "did not answer a probe: auth_error"),
        (answer(400), "unknown", "the probe says nothing of it"),
        (hang, "down", "did not answer a probe: timeout"),
    ],
)
def test_the_first_answer_counts_and_is_not_asked_for_again(
    house: House, server: FaultServer, behaviour: Behaviour, status: str, words: str
) -> None:
    server.plan("/ping", behaviour)
    found = house.check("films")["films"]
    assert found.health.status == status
    assert words in found.health.reason
    assert server.counts["/ping"] == 1


@pytest.mark.parametrize(("seconds", "status"), [(0.5, "healthy"), (1.0, "degraded"), (3.0, "down")])
def test_the_time_of_a_probe_counts_to_the_millisecond(house: House, server: FaultServer, seconds: float, status: str) -> None:
    server.plan("/ping", taking(house, seconds, answer()))
    found = house.check("films")["films"].health
    assert found.status == status
    assert found.avg_ms == pytest.approx(seconds * 1000)


def test_what_our_own_pace_makes_a_probe_wait_is_not_the_services_slowness(server: FaultServer, database: Database) -> None:
    house = House(server, database, films={"rate_per_second": 0.2, "deadline": 60.0})
    server.plan("/ping", answer())
    first = house.check("films")["films"].health
    again = house.check("films")["films"].health
    assert (first.status, again.status) == ("healthy", "healthy")
    assert again.avg_ms == pytest.approx(0.0)
    assert max(house.clock.slept) > 3.0


def test_real_traffic_comes_first_and_costs_nothing(house: House, server: FaultServer) -> None:
    house.traffic(*[house.call() for _ in range(10)])
    assert told(house.check("films")["films"]) == ("healthy", "10 of 10 calls in the last 5 minutes answered")
    house.traffic(*[house.call(success=False, error_type="timeout", response_time_ms=5000.0) for _ in range(10)])
    assert house.check("films")["films"].health.status == "down"
    assert server.counts == {}
    server.plan("/ping", answer())
    assert told(house.check("films", always=True)["films"])[0] == "healthy"
    assert server.counts == {"/ping": 1}


@pytest.mark.parametrize(
    ("behaviour", "status", "reason"),
    [
        (answer(), "degraded", "answered a probe in 0 ms; but 12 of 12 calls in the last 5 minutes failed, mostly auth_error"),
        (answer(401), "down", "12 of 12 calls in the last 5 minutes failed, mostly auth_error"),
        (answer(400), "unknown", "the probe says nothing of it"),
    ],
    ids=["mended", "as before", "cannot tell"],
)
def test_whose_key_was_refused_is_asked_whether_that_is_still_so(
    house: House, server: FaultServer, behaviour: Behaviour, status: str, reason: str
) -> None:
    house.traffic(*(house.call(success=False, error_type="auth_error") for _ in range(12)))
    server.plan("/ping", behaviour)
    found = house.check("films")["films"]
    assert (found.health.status, found.requests) == (status, 1)
    assert found.health.reason.startswith(reason)


def test_an_open_breaker_is_not_probed(house: House, server: FaultServer) -> None:
    now = house.clock.now()
    with house.database.transaction() as session:
        record_transition(session, "films", "open", changed_at=now - 5, retry_at=now + 60)
    found = house.check("films", always=True)["films"]
    assert (told(found), found.requests) == (("down", "its breaker is open: calls are refused"), 0)
    house.clock.advance(61)
    server.plan("/ping", answer())
    found = house.check("films")["films"]
    assert (found.health.status, found.health.basis, found.requests) == ("degraded", "breaker", 1)


def test_a_breaker_that_this_process_opened_refuses_the_probe(house: House, server: FaultServer) -> None:
    house.services.state("films").breaker.force_open()
    assert told(house.check("films")["films"]) == ("down", "its breaker is open: calls are refused")
    assert server.counts == {}


def test_a_failed_probe_counts_in_the_breaker(house: House, server: FaultServer) -> None:
    server.plan("/ping", answer(500))
    for _ in range(5):
        house.check("films")
    assert house.services.breaker_state("films") == "open"
    assert server.counts["/ping"] == 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"hourly_quota": 0}, "hourly quota of films"), ({"daily_budget_usd": 0.001}, "daily budget of films")],
)
def test_a_probe_that_may_not_go_leaves_it_unknown(
    server: FaultServer, database: Database, settings: dict[str, Any], words: str
) -> None:
    shared = SharedState(SharedStore(database), SystemClock())
    house = House(server, database, shared=shared, films=settings)
    found = house.check("films")["films"]
    shared.close()
    assert (found.health.status, found.requests, found.cost_usd) == ("unknown", 0, 0.0)
    assert found.health.reason.startswith(f"could not be asked: the {words} has no room")
    assert server.counts == {}


def test_a_probe_waits_for_nobody_who_asked_to_be_left_alone(house: House, server: FaultServer) -> None:
    server.plan("/ping", answer(429, headers={"Retry-After": "600"}))
    house.check("films")
    found = house.check("films")["films"]
    assert found.health.status == "unknown"
    assert "asked to be left alone for 600 more seconds" in found.health.reason
    assert server.counts["/ping"] == 1


def test_each_service_has_an_outcome_of_its_own_and_few_are_asked_at_a_time(server: FaultServer, database: Database) -> None:
    under_way: list[int] = []
    most: list[int] = []

    def counted(exchange: Exchange) -> None:
        under_way.append(1)
        most.append(len(under_way))
        within(1.0, lambda: len(most) > 1)
        exchange.wait_for_hang_up(0.05)
        under_way.pop()
        answer()(exchange)

    server.plan("/ping", counted)
    clock, names = PatientClock(patience=10.0), [f"films_{number:02}" for number in range(3 * AT_ONCE)]
    specs = [ServiceSpec(name=name, base_url=server.url, probe="/ping") for name in names]
    gone = ServiceSpec(name="gone", base_url=refusing_url(), probe="/ping")
    services = open_door(*specs, gone, clock=clock, rows=Rows())

    async def look() -> list[Checked]:
        try:
            return await HealthChecker(services, database).check()
        finally:
            await services.aclose()

    found = {one.service: one.health.status for one in asyncio.run(look())}
    assert found == dict.fromkeys(names, "healthy") | {"gone": "down"}
    assert 2 <= max(most) <= AT_ONCE


def test_what_was_found_is_kept_and_a_later_look_knows_it(house: House, server: FaultServer) -> None:
    server.plan("/ping", answer(503), answer())
    house.check("films", "silent")
    first = house.clock.now()
    house.clock.advance(60)
    house.check("films")
    with house.database.reading() as session:
        kept = last_health(session)
    assert {name: row.status for name, row in kept.items()} == {"films": "healthy", "silent": "unknown"}
    assert kept["films"].changed_at.timestamp() >= first + 60


def test_watching_looks_every_half_minute_on_the_clock(house: House, server: FaultServer) -> None:
    server.plan("/ping", answer(), taking(house, 2.0, answer()))
    seen: list[tuple[float, str]] = []

    async def watch() -> None:
        async with aclosing(house.checker.watch("films")) as looks:
            async for (one,) in looks:
                seen.append((house.clock.monotonic(), one.health.status))
                if len(seen) == 3:
                    return

    house.run(watch)
    assert seen == [(0.0, "healthy"), (INTERVAL + 2.0, "degraded"), (2 * INTERVAL + 2.0, "degraded")]


def test_who_is_named_twice_is_asked_and_told_once(house: House, server: FaultServer) -> None:
    server.plan("/ping", answer())
    found = house.run(lambda: house.checker.check("silent", "films", "silent", "films", always=True))
    assert [(one.service, one.requests) for one in found] == [("silent", 0), ("films", 1)]
    assert server.counts == {"/ping": 1}


def test_a_service_nobody_brought_is_named(house: House) -> None:
    with pytest.raises(ConfigurationError, match="no service 'fims' is installed; the nearest is 'films'"):
        house.check("fims")


def test_a_kept_answer_will_not_do(server: FaultServer, database: Database) -> None:
    house = House(server, database, films={"cache_ttl": 3600.0})
    server.plan("/ping", answer(), answer(500))

    async def both() -> list[Checked]:
        await house.services.http_client("films").get("/ping")
        return await house.checker.check("films")

    (found,) = house.run(both)
    assert found.health.status == "down"
