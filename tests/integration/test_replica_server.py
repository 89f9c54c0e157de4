"""The replica as a server: how it starts, stops and counts what it is asked."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from cinegraph_core.errors import ConfigurationError, UsageError
from cinegraph_replica import SERVICES, serve, start
from cinegraph_replica.catalogue import load_catalogue
from cinegraph_replica.server import ReplicaServer
from tests.support.replica import KEY, counts, fault, free_port
from tests.support.waiting import CEILING, within


def test_start_is_quick_and_starts_one_server_per_process_with_every_service() -> None:
    before = time.monotonic()
    urls = start()
    assert time.monotonic() - before < CEILING * 2
    assert start() == urls
    assert set(urls) == set(SERVICES)
    assert httpx.get(f"{urls['tmdb']}/robots.txt").status_code == 200


def test_start_leaves_signal_handlers_alone() -> None:
    before = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    with ReplicaServer():
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_stop_does_not_wait_for_connections_that_hang() -> None:
    with ReplicaServer() as running:
        httpx.post(f"{running.origin}/__faults", json={"service": "tmdb", "kind": "hang"})
        with socket.create_connection(("127.0.0.1", int(running.origin.rpartition(":")[2]))) as hanging:
            hanging.sendall(b"GET /tmdb/3/movie/1 HTTP/1.1\r\nHost: x\r\n\r\n")
            before = time.monotonic()
            running.stop()
    assert time.monotonic() - before < CEILING * 3


def status_of(url: str) -> int | None:
    """Return the status of an answer, ``None`` while nobody listens."""
    try:
        return httpx.get(url).status_code
    except httpx.ConnectError:
        return None


def test_serve_takes_faults_and_ends_on_ctrl_c() -> None:
    port = free_port()
    code = f"from cinegraph_replica import serve; serve({port}, ['tmdb=503'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert within(20, lambda: status_of(f"http://127.0.0.1:{port}/tmdb/3/movie/1") == 503)
        os.kill(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert output == b""
    assert errors.rstrip().endswith(b"KeyboardInterrupt")


def test_serve_names_a_port_that_is_taken_and_a_service_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port}.*another port"):
            serve(port, [])
    with pytest.raises(UsageError, match="no service 'netflix'; it has tmdb, omdb"):
        serve(0, ["netflix=500"])


@pytest.mark.parametrize("service", ["tmdb/3", "omdb", "venice", "imdb", "imdb_graphql"])
def test_every_service_has_a_robots_txt_that_counts_as_its_own(client: httpx.Client, service: str) -> None:
    answer = client.get(f"/{service}/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Disallow: /private" in answer.text.splitlines()
    assert counts(client) == {service.partition("/")[0]: 1, f"/{service}/robots.txt": 1}


def test_counts_are_exact_when_many_ask_at_once(client: httpx.Client) -> None:
    fault(client, "tmdb", "500", rate=0.5)

    def ask(number: int) -> int:
        with httpx.Client(base_url=client.base_url) as own:
            return sum(own.get(f"/tmdb/3/movie/{number}", params=KEY).status_code == 500 for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        struck = sum(pool.map(ask, range(24)))
    found = counts(client)
    assert found["tmdb"] == found["/tmdb/3/movie/{id}"] == 240
    assert found["tmdb:500"] == struck


def test_a_request_counts_though_its_client_went_away(client: httpx.Client) -> None:
    address = (client.base_url.host, client.base_url.port or 0)
    for _ in range(5):
        with socket.create_connection(address) as gone:
            gone.sendall(b"GET /tmdb/3/find/tt1?api_key=x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert within(3, lambda: counts(client).get("tmdb") == 5)


def test_answers_do_not_wait_for_acknowledgements(client: httpx.Client) -> None:
    taken = []
    for _ in range(50):
        started = time.monotonic()
        client.get("/tmdb/3/find/tt1", params=KEY)
        taken.append(time.monotonic() - started)
    assert sorted(taken)[10] < 0.03, "an acknowledgement comes after 40 ms"


def test_statistics_tell_films_and_times(client: httpx.Client) -> None:
    client.get("/tmdb/3/find/tt1", params=KEY)
    found = client.get("/__stats").json()
    assert set(found) == {"counts", "median_ms", "max_ms", "films"}
    assert found["films"] == len(load_catalogue().films)
    assert 0 < found["median_ms"] <= found["max_ms"]
