"""Who answers a call: the service, its replica, or the replica in the service's place; always marked, over real HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.contracts import Answer, Call, Replica
from cinegraph_core.errors import (
    AuthError,
    CircuitOpenError,
    ConfigurationError,
    NotFoundError,
    QuotaExceededError,
    ServerError,
    ServiceTimeoutError,
)
from cinegraph_core.services import guarded
from tests.support.clocks import PatientClock
from tests.support.fault_server import FaultServer, answer, hang
from tests.support.modes import ADAPTERS, NAME, REPLICA, SERVICE, SPEC, House, house, stand_in

pytestmark = pytest.mark.usefixtures("patient_cache")

SICK: dict[str, Any] = {
    "breaker": {},
    "quota": {"daily_quota": 0},
    "budget": {"daily_budget_usd": 0.0, "price_per_call_usd": 0.1},
}


def nothing(said: Answer) -> None:
    raise NotFoundError("there is no such film")


def refuse(home: House, reason: str) -> None:
    if reason == "breaker":
        home.shut()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_hybrid_asks_the_service_while_it_answers(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server) as home:
        heard = home.ask(adapter)
        assert (heard.value, heard.provenance) == (SERVICE, "live")
        row = home.row
        assert (row.success, row.provenance, row.attempts, row.error_message) == (True, "live", 1, None)
        assert home.asked == (1, 0)


@pytest.mark.parametrize("reason", SICK)
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_lesson_28_a_refused_service_is_stood_in_for_and_the_answer_says_so(
    server: FaultServer, tmp_path: Path, adapter: str, reason: str
) -> None:
    with house(tmp_path, server, films=SICK[reason]) as home:
        refuse(home, reason)
        heard = home.ask(adapter)
        assert (heard.value, heard.provenance) == (REPLICA, "fallback")
        row = home.row
        assert (row.success, row.provenance, row.attempts, row.source) == (True, "fallback", 1, NAME)
        assert row.error_type is None
        assert row.error_message, "the row says why the service itself did not answer"
        assert home.asked == (0, 1)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_lesson_28_an_outage_is_stood_in_for_after_all_attempts(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server) as home:
        server.plan("/3/film", answer(503))
        heard = home.ask(adapter)
        assert (heard.value, heard.provenance) == (REPLICA, "fallback")
        row = home.row
        assert (row.success, row.provenance, row.attempts) == (True, "fallback", 4)
        assert "503" in (row.error_message or "")
        assert home.asked == (3, 1)
        for _ in range(2):
            home.ask(adapter)
        assert home.application.services.breaker_state(NAME) == "open", "the outage itself is the breaker's business"


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (404, NotFoundError)])
def test_a_service_that_says_no_has_answered(
    server: FaultServer, tmp_path: Path, adapter: str, status: int, kind: type[Exception]
) -> None:
    with house(tmp_path, server) as home:
        server.plan("/3/film", answer(status))
        heard = home.ask(adapter)
        assert isinstance(heard.error, kind)
        assert heard.provenance == home.row.provenance == "live"
        assert home.asked == (1, 0)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_error_of_the_service_stands_where_the_replica_cannot_help(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server) as home:
        server.plan("/3/film", answer(503))
        server.plan("/replica/films/film", answer(500, b"broken"))
        heard = home.ask(adapter)
        assert isinstance(heard.error, ServerError)
        assert "503" in str(heard.error)
        row = home.row
        assert (row.success, row.error_type, row.provenance) == (False, "server_error", "live")
        assert "503" in (row.error_message or "")


def test_service_and_replica_together_take_no_longer_than_the_deadline_and_one_attempt(
    server: FaultServer, tmp_path: Path
) -> None:
    films = {"deadline": 5.0, "timeout": 2.0, "retries": 9}
    with house(tmp_path, server, films=films, clock=PatientClock(patient_from=2.0, patience=0.3)) as home:
        for path in ("/3/film", "/replica/films/film"):
            server.plan(path, hang)
        began = home.clock.monotonic()
        assert isinstance(home.ask().error, ServiceTimeoutError)
        assert 4.0 < home.clock.monotonic() - began <= 7.0


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_stale_answer_comes_first_and_the_replica_after_its_day(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server, films={"cache_ttl": 60.0}) as home:
        home.ask(adapter)
        home.clock.advance(61.0)
        home.shut()
        stale = home.ask(adapter)
        assert (stale.value, stale.provenance) == (SERVICE, "stale")
        home.clock.advance(86_400.0)
        assert home.ask(adapter).provenance == "fallback"
        assert [(row.provenance, row.attempts) for row in home.rows] == [("live", 1), ("stale", 0), ("fallback", 1)]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_lesson_28_what_the_replica_said_is_not_kept_for_the_service(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server, films={"cache_ttl": 1000.0}) as home:
        home.shut()
        assert home.ask(adapter).provenance == "fallback"
        home.application.services.state(NAME).breaker.reset(home.application.services.clock.monotonic())
        heard = home.ask(adapter)
        assert (heard.value, heard.provenance) == (SERVICE, "live")


def test_lesson_28_everybody_who_waits_for_one_answer_hears_whose_it_is(server: FaultServer, tmp_path: Path) -> None:
    with house(tmp_path, server, films={"cache_ttl": 1000.0}) as home:
        home.shut()

        async def together() -> Any:
            http = home.application.services.http_client(NAME)
            call = Call(NAME, "movie_details", "tt1")
            answers = await asyncio.gather(*(http.get("/film", extensions={"cinegraph": call}) for _ in range(5)))
            assert [one.extensions["cinegraph"].answer.provenance for one in answers] == ["fallback"] * 5
            return answers[0]

        home.run(together)
        assert [row.provenance for row in home.rows] == ["fallback"] * 5
        assert home.asked == (0, 1)


def test_lesson_28_that_a_replica_knows_of_no_such_thing_is_no_truth_either(server: FaultServer, tmp_path: Path) -> None:
    with house(tmp_path, server) as home:
        home.shut()
        client = home.application.services.client(NAME)
        heard = home.run(lambda: client.get("/film", call=Call(NAME, "movie_details", "tt1", nothing)))
        assert isinstance(heard.error, NotFoundError)
        assert client.provenance == "fallback"
        row = home.row
        assert (row.success, row.error_type, row.provenance) == (True, "not_found", "fallback")


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_real_asks_nobody_else_and_a_call_may_insist_on_it(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server) as home:
        home.shut()
        assert isinstance(home.ask(adapter, mode="real").error, CircuitOpenError)
        assert home.row.provenance == "live"
    with house(tmp_path, server, mode="real") as home:
        home.shut()
        assert isinstance(home.ask(adapter).error, CircuitOpenError)
        assert home.asked == (0, 0)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_one_call_may_have_a_mode_of_its_own(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server, mode="real") as home:
        assert (home.ask(adapter, mode="mock").value, home.row.provenance) == (REPLICA, "mock")
        assert (home.ask(adapter).value, home.row.provenance) == (SERVICE, "live")
        home.shut()
        assert (home.ask(adapter, mode="hybrid").value, home.row.provenance) == (REPLICA, "fallback")
        assert (home.ask(adapter, mode="mock").value, home.row.provenance) == (REPLICA, "mock")
    with house(tmp_path, server, mode="mock", database_url=f"sqlite:///{tmp_path / 'mock.db'}") as home:
        assert (home.ask(adapter).provenance, home.row.provenance) == ("mock", "mock")
        real = home.ask(adapter, mode="real")
        assert (real.value, real.provenance, home.row.provenance) == (SERVICE, "live", "live")


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_one_service_may_have_a_mode_of_its_own(server: FaultServer, tmp_path: Path, adapter: str) -> None:
    with house(tmp_path, server, mode="real", films={"mode": "mock"}) as home:
        assert (home.ask(adapter).value, home.row.provenance) == (REPLICA, "mock")
        assert home.application.services.mode(NAME) == "mock"


def test_a_replica_asked_beside_its_service_uses_up_nothing_and_gets_no_key(server: FaultServer, tmp_path: Path) -> None:
    with house(tmp_path, server, films={"daily_quota": 2}) as home:
        for _ in range(3):
            assert home.ask(mode="mock").value == REPLICA
        assert [home.ask().provenance for _ in range(3)] == ["live", "live", "fallback"]
        assert isinstance(home.ask(mode="real").error, QuotaExceededError)
        sent = {exchange.target for exchange in server.received if exchange.target.startswith("/replica")}
        assert sent == {"/replica/films/film?api_key=mock-key"}
        assert all(row.provenance != "fallback" or "canary" not in str(row) for row in home.rows)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_without_the_fallback_hybrid_serves_stale_answers_and_no_made_up_ones(
    server: FaultServer, tmp_path: Path, adapter: str
) -> None:
    with house(tmp_path, server, films={"cache_ttl": 60.0}, mock_fallback=False) as home:
        home.ask(adapter)
        home.shut()
        home.clock.advance(61.0)
        assert home.ask(adapter).provenance == "stale"
        home.clock.advance(86_400.0)
        assert isinstance(home.ask(adapter).error, CircuitOpenError)


def test_a_service_without_a_replica_stays_refused(server: FaultServer, tmp_path: Path) -> None:
    with house(tmp_path, server, stand_in(server, "other")) as home:
        home.shut()
        assert isinstance(home.ask().error, CircuitOpenError)
        with pytest.raises(ConfigurationError, match="replica of films"):
            home.application.services.begin(Call(NAME, "request", "/", mode="mock"))


def test_a_replica_that_does_not_start_leaves_the_refusal_as_it_is(server: FaultServer, tmp_path: Path) -> None:
    def start() -> dict[str, str]:
        raise OSError("no port is free")

    with house(tmp_path, server, Replica("broken", (NAME,), start)) as home:
        home.shut()
        assert isinstance(home.ask().error, CircuitOpenError)
        row = home.row
        assert (row.error_type, row.provenance) == ("circuit_open", "live")


@pytest.mark.parametrize("mode", ["hybrid", "mock"])
def test_no_replica_answers_for_a_function_of_ones_own(server: FaultServer, tmp_path: Path, mode: Any) -> None:
    with house(tmp_path, server, mode=mode) as home:
        services = home.application.services

        @guarded(SPEC, services=services)
        def fetch() -> str:
            return "done"

        assert fetch() == "done"
        home.shut()
        with pytest.raises(CircuitOpenError):
            fetch()
        assert home.asked == (0, 0)


def test_the_replica_has_a_deadline_of_its_own_and_the_row_tells_the_time_of_both(server: FaultServer, tmp_path: Path) -> None:
    spec = replace(SPEC, retries=0, deadline=8.0, timeout=6.0)
    with house(tmp_path, server, spec=spec) as home:
        guard = home.application.services.begin(Call(NAME, "movie_details", "tt1"))
        attempt = guard.attempt()
        home.clock.advance(7.0)
        with pytest.raises(Exception) as turned:  # noqa: PT011 - the class is looked at
            guard.failed(attempt, ServerError("HTTP 503", service=NAME))
        assert type(turned.value).__name__ == "Elsewhere"
        assert guard.attempt().timeout == 6.0
        home.clock.advance(2.0)
        guard.answered(guard.attempt(), Answer(200, {}, b"{}", "https://films.example/3/film", guard.state.mark))
        row = home.row
        assert (row.provenance, row.response_time_ms) == ("fallback", 9000.0)
