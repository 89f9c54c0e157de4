"""What the record says is what the servers counted, in good times and in bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.fault_server import refusing_url
from tests.support.runs import environment, fault, query, run, stats

SERVICES = ("venice", "imdb", "tmdb")
FAULTS: dict[str, list[dict[str, Any]]] = {
    "well": [],
    "rate limits": [{"service": "tmdb", "kind": "429", "rate": 0.2, "retry_after": 0}],
    "failing pages": [{"service": "venice", "kind": "503", "times": 2}, {"service": "imdb", "kind": "500", "times": 1}],
    "resets": [{"service": "tmdb", "kind": "reset", "rate": 0.1}, {"service": "imdb", "kind": "reset", "times": 1}],
    "broken bodies": [{"service": "tmdb", "kind": "garbage", "rate": 0.1}, {"service": "imdb", "kind": "cut", "times": 1}],
    "challenge": [{"service": "imdb", "kind": "waf"}],
    "dead": [{"service": "tmdb", "kind": "500"}],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_attempts_on_record_are_the_requests_the_server_counted(faults: list[dict[str, Any]], tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        for one in faults:
            fault(replica.origin, **one)
        done = run("scrapy", "crawl", "venice", "-a", "year=2024", env=environment(tmp_path, replica.urls), folder=tmp_path)
        counted = stats(replica.origin)

    rows = query(tmp_path, "select source, sum(attempts) from api_lookup_metrics where kind = 'call' group by source")
    recorded = dict(rows)
    assert {name: recorded.get(name, 0) for name in SERVICES} == {name: counted.get(name, 0) for name in SERVICES}, done.stderr
    assert counted["tmdb"] > 0


def test_one_row_for_each_logical_call(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        fault(replica.origin, "venice", "503", times=3)
        run("scrapy", "crawl", "venice", "-a", "year=2024", env=environment(tmp_path, replica.urls), folder=tmp_path)

    sql = "select source, operation, target_identifier, count(*) from api_lookup_metrics where kind = 'call' and source != 'tmdb'"
    pages = query(tmp_path, f"{sql} group by 1, 2, 3")
    assert {count for *_, count in pages} == {1}
    assert {operation for _, operation, _, _ in pages} == {"fetch_lineup", "fetch_awards", "fetch_event", "robots_txt"}
    retried = query(tmp_path, "select sum(attempts) - count(*) from api_lookup_metrics where source = 'venice' and kind = 'call'")
    assert retried == [(3,)]


def test_a_refused_connection_is_an_attempt_no_server_could_count(tmp_path: Path) -> None:
    urls = dict.fromkeys(SERVICES, refusing_url())
    done = run(
        "scrapy", "crawl", "imdb", "-a", "event=ev0000681", "-a", "year=2024", env=environment(tmp_path, urls), folder=tmp_path
    )

    rows = query(
        tmp_path, "select attempts, error_type, json_extract(metadata, '$.unsent') from api_lookup_metrics where kind = 'call'"
    )
    assert rows, done.stderr
    assert {(attempts, error) for attempts, error, _ in rows} == {(0, "network_error")}
    assert all(unsent > 0 for *_, unsent in rows)
