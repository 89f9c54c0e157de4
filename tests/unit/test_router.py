"""Which service answers in which mode, at which address, with which key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cinegraph_core.contracts import Credentials, Replica, ServiceSpec
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.services import Services
from cinegraph_core.testing import FakeClock
from tests.support.door import Rows, open_door

FILMS = ServiceSpec(
    name="films",
    base_url="https://films.example/3/",
    needs_key=True,
    authenticate=lambda key: Credentials(params={"api_key": key}),
)
PAGES = ServiceSpec(name="pages", base_url="https://pages.example", kind="site")


def stand_in(*services: str) -> tuple[Replica, list[int]]:
    """Return a replica and the list that grows with each of its starts."""
    starts: list[int] = []

    def start() -> Mapping[str, str]:
        starts.append(1)
        return {name: f"http://127.0.0.1:9/{name}/" for name in services}

    return Replica("stand_in", services, start), starts


def door(*brought: ServiceSpec | Replica, mode: str = "real", services: Mapping[str, Any] | None = None) -> Services:
    return open_door(*brought, clock=FakeClock(), rows=Rows(), mode=mode, services=services)


def test_in_mock_mode_the_replica_answers_and_starts_once_per_process() -> None:
    replica, starts = stand_in("films", "pages")
    for _ in range(2):
        services = door(FILMS, PAGES, replica, mode="mock")
        services.check()
        assert services.mode("films") == services.provenance("films") == "mock"
        assert services.base_url("films") == "http://127.0.0.1:9/films"
        assert services.join("films", "/movie/1") == "http://127.0.0.1:9/films/movie/1"
        assert services.public("films", "http://127.0.0.1:9/films/movie/1") == "https://films.example/3/movie/1"
    assert starts == [1]


def test_nothing_starts_before_it_is_needed() -> None:
    replica, starts = stand_in("films", "pages")
    services = door(FILMS, PAGES, replica, mode="mock")
    services.check()
    services.spec("pages")
    services.breaker_state("films")
    assert starts == []


def test_an_explicit_base_url_counts_in_real_mode_only() -> None:
    replica, _ = stand_in("films")
    own = {"films": {"base_url": "http://127.0.0.1:7777/own"}}
    assert door(FILMS, replica, services=own).base_url("films") == "http://127.0.0.1:7777/own"
    assert door(FILMS, replica, mode="mock", services=own).base_url("films") == "http://127.0.0.1:9/films"
    assert door(FILMS, replica).base_url("films") == "https://films.example/3"


def test_a_service_may_have_a_mode_of_its_own() -> None:
    replica, _ = stand_in("films")
    services = door(FILMS, PAGES, replica, services={"films": {"mode": "mock"}})
    assert (services.provenance("films"), services.provenance("pages")) == ("mock", "live")


def test_settings_are_put_into_the_spec() -> None:
    settings = {"timeout": 1.5, "deadline": 9.0, "retries": 0, "rate_per_second": 2.0, "breaker_failures": 2, "breaker_wait": 7.0}
    spec = door(FILMS, services={"films": settings}).spec("films")
    assert {name: getattr(spec, name) for name in settings} == settings
    assert spec.base_url == FILMS.base_url
    plain = door(FILMS).spec("films")
    assert (plain.timeout, plain.deadline, plain.retries, plain.breaker_failures, plain.breaker_wait) == (5.0, 60.0, 3, 5, 60.0)


def test_nobody_waits_for_this_very_machine_unless_told_to() -> None:
    replica, _ = stand_in("pages")
    local = {"base_url": "http://localhost:1/x"}
    assert door(PAGES).spec("pages").delay == 1.0
    assert door(PAGES, replica, mode="mock").spec("pages").delay == 0.0
    assert door(PAGES, services={"pages": local}).spec("pages").delay == 0.0
    assert door(PAGES, services={"pages": {**local, "delay": 0.5}}).spec("pages").delay == 0.5


def test_a_replica_is_asked_at_any_pace_unless_told_otherwise() -> None:
    replica, _ = stand_in("films")
    paced = replace(FILMS, rate_per_second=40.0)
    assert door(paced, replica).spec("films").rate_per_second == 40.0
    assert door(paced, replica, mode="mock").spec("films").rate_per_second == 0.0
    assert door(paced, replica, mode="mock", services={"films": {"rate_per_second": 5.0}}).spec("films").rate_per_second == 5.0


def test_mock_mode_without_any_replica_ends_at_the_start_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match=r"films, pages.*CINEGRAPH_MODE=real"):
        door(FILMS, PAGES, mode="mock").check()
    door(FILMS, PAGES).check()


def test_a_service_that_no_replica_knows_fails_only_where_it_is_needed() -> None:
    replica, _ = stand_in("films")
    services = door(FILMS, PAGES, replica, mode="mock")
    services.check()
    services.check("films")
    with pytest.raises(ConfigurationError, match="replica of pages"):
        services.check("films", "pages")
    with pytest.raises(ConfigurationError, match="replica of pages"):
        services.base_url("pages")


def test_a_replica_that_forgets_a_service_is_told_so() -> None:
    services = door(FILMS, Replica("forgetful", ("films",), dict), mode="mock")
    with pytest.raises(ConfigurationError, match="'forgetful'"):
        services.base_url("films")


def test_an_unknown_service_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="no service 'flims' is installed; the nearest is 'films'"):
        door(FILMS, PAGES).base_url("flims")


def test_a_replica_never_gets_the_real_key() -> None:
    replica, _ = stand_in("films")
    settings = {"films": {"api_key": "canary-key"}}
    assert door(FILMS, replica, services=settings).state("films").credentials.params == {"api_key": "canary-key"}
    assert "canary" not in str(door(FILMS, replica, mode="mock", services=settings).state("films").credentials)


def test_the_public_url_of_a_request_shows_no_key() -> None:
    services = door(FILMS, services={"films": {"api_key": "canary-key"}})
    assert (
        services.public("films", "https://films.example/3/x?api_key=canary-key&y=1")
        == "https://films.example/3/x?api_key=***&y=1"
    )
