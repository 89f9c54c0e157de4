"""A year without an edition is an answer, not a failure."""

from __future__ import annotations

from pathlib import Path

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import environment, query, run


def test_cannes_1948_ends_with_no_data(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls)
        crawl = run("scrapy", "crawl", "imdb", "-a", "event=ev0000147", "-a", "year=1948", env=env, folder=tmp_path)

    assert crawl.returncode == 0, crawl.stderr
    assert "no_data" in crawl.stderr
    assert query(tmp_path, "select count(*) from editions") == [(0,)]
    pages = "select success, error_type, attempts from api_lookup_metrics where operation = 'fetch_event'"
    assert query(tmp_path, pages) == [(1, "not_found", 1)]
