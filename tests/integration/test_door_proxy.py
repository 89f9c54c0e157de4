"""Calls to APIs by way of a proxy: where the environment names one, over a real one on loopback."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import NetworkError, ServerError
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, Rows, open_door
from tests.support.fault_server import FaultServer, answer, refusing_url

SPEC = ServiceSpec(name=NAME, base_url="http://films.example/3")
SECURE = ServiceSpec(name=NAME, base_url="https://films.example/3")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def bench_of(spec: ServiceSpec, **settings: Any) -> Bench:
    clock, rows = PatientClock(patient_from=5.0, patience=10.0), Rows()
    return Bench(open_door(spec, clock=clock, rows=rows, services={NAME: {"retries": 0, **settings}}), clock, rows)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_the_environments_proxy_is_asked_and_its_password_goes_to_it_alone(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server.plan("http://films.example/3/film", answer(200, b'{"id": 7}'))
    monkeypatch.setenv(name, server.url.replace("//", "//me:canary-12@"))
    bench = bench_of(SPEC)
    assert bench.each(bench.get) == [{"id": 7}]
    assert "proxy-authorization" in server.received[0].headers
    assert bench.rows.brief == [(True, None, 1)]
    assert "canary-12" not in json.dumps([str(row) for row in bench.rows.all])


def test_it_is_asked_by_a_blocking_client_too(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.plan("http://films.example/3/film", answer(200, b'{"id": 7}'))
    monkeypatch.setenv("http_proxy", server.url.removeprefix("http://"))
    with bench_of(SPEC).services.sync_client(NAME) as http:
        assert http.get("/film").json() == {"id": 7}


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_does_not_lead_there_is_no_answer_of_the_service(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    server.plan("films.example:443", answer(status))
    monkeypatch.setenv("https_proxy", server.url)
    bench = bench_of(SECURE, retries=1)
    (error,) = bench.each(bench.get)
    assert isinstance(error, NetworkError)
    assert str(status) in str(error)
    assert bench.rows.brief == [(False, "network_error", 0)]
    assert bench.rows.only.metadata["unsent"] == server.counts["films.example:443"] == 2


def test_one_that_is_away_is_no_answer_of_the_service_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", refusing_url())
    bench = bench_of(SPEC)
    (error,) = bench.each(bench.get)
    assert isinstance(error, NetworkError)
    assert bench.rows.brief == [(False, "network_error", 0)]


def test_what_the_service_says_by_it_is_the_services_word(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.plan("http://films.example/3/film", answer(503))
    monkeypatch.setenv("http_proxy", server.url)
    bench = bench_of(SPEC)
    (error,) = bench.each(bench.get)
    assert isinstance(error, ServerError)
    assert bench.rows.brief == [(False, "server_error", 1)]


def test_this_machine_is_asked_directly(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.plan("/film", answer(200, b'{"id": 7}'))
    monkeypatch.setenv("http_proxy", refusing_url())
    bench = bench_of(SPEC, base_url=server.url)
    assert bench.each(bench.get) == [{"id": 7}]


def test_what_is_exempt_is_asked_directly(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "localhost,.invalid")
    bench = bench_of(ServiceSpec(name=NAME, base_url="http://films.invalid"))
    (error,) = bench.each(bench.get)
    assert isinstance(error, NetworkError), "there is no such host"
    assert not server.received


@pytest.mark.parametrize("proxy", ["socks5://me:canary-12@127.0.0.1:1080", "http://:3128"])
def test_one_that_cannot_be_used_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    bench = bench_of(SECURE)
    (error,) = bench.each(bench.get)
    assert isinstance(error, NetworkError)
    assert re.search(r"HTTPS_PROXY .* NO_PROXY", str(error))
    assert "canary-12" not in str(error)
    assert bench.rows.brief == [(False, "network_error", 0)]
