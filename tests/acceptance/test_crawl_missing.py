"""``missing=true`` fetches what is missing and no more, and a crawl counts its own calls alone."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import IMDB, VENICE, count, environment, fault, feed, mock, query, run, stats

STORED = """select n.is_winner, f.title, f.original_title from nominations n
            left join nomination_films nf on nf.nomination_id = n.id left join films f on f.id = nf.film_id order by 1, 2, 3"""
OFFICIAL_PAGES = 9
LEVELS = ("direct_imdb", "exact_title_year", "normalized_title", "year_tolerant", "fuzzy_title", "broad_search")
NO_MATCHER = {"DISABLE_PLUGINS": ",".join(f"tmdb_{level}" for level in LEVELS)}


def test_a_quota_smaller_than_an_edition_completes_it_and_asks_for_no_page_twice(tmp_path: Path) -> None:
    whole, bit_by_bit = tmp_path / "whole", tmp_path / "bit_by_bit"
    whole.mkdir()
    bit_by_bit.mkdir()
    missing = (*VENICE, "-a", "missing=true")
    with ReplicaServer() as replica:
        assert run("cinegraph", *VENICE, env=environment(whole, replica.urls, **NO_MATCHER), folder=whole).returncode == 0
    with ReplicaServer() as replica:
        for quota in ("5", "11"):
            env = environment(bit_by_bit, replica.urls, SERVICES__VENICE__DAILY_QUOTA=quota, **NO_MATCHER)
            done = run("cinegraph", *missing, env=env, folder=bit_by_bit)
            assert done.returncode == 0, done.stderr
        assert stats(replica.origin)["venice"] == OFFICIAL_PAGES + 2, "each page once, and robots.txt in each run"
        assert stats(replica.origin)["imdb"] == 2, "and IMDb's in the first"
    assert query(bit_by_bit, "select status from editions") == [("complete",)]
    assert query(bit_by_bit, STORED) == query(whole, STORED)


def test_a_feed_holds_all_that_is_known_of_an_edition_also_when_its_pages_fail(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls, SERVICES__VENICE__RETRIES="0", SERVICES__IMDB__RETRIES="0", **NO_MATCHER)
        first = run("scrapy", *VENICE, "-O", "venice.jsonl", env=env, folder=tmp_path)
        assert first.returncode == 0, first.stderr
        lines = feed(tmp_path / "venice.jsonl")
        assert len(lines) == count(tmp_path, "nominations") > 50
        fault(replica.origin, "venice", "500")
        broken = run("scrapy", *VENICE, "-O", "venice.jsonl", env=env, folder=tmp_path)
        assert broken.returncode == 1, "that pages failed is said all the same"
    assert [line["films"] for line in feed(tmp_path / "venice.jsonl")] == [line["films"] for line in lines]


def test_where_no_page_is_missing_the_films_that_wait_are_named(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls, SERVICES__TMDB__RETRIES="0")
        fault(replica.origin, "tmdb", "500")
        run("cinegraph", *IMDB, env=env, folder=tmp_path)
        before = stats(replica.origin)
        again = run("cinegraph", *IMDB, "-a", "missing=true", env=env, folder=tmp_path)
        films = query(tmp_path, "select count(*) from films where merged_into is null")[0][0]
        assert (again.returncode, f"{films} films wait for an answer" in again.stderr) == (0, True), again.stderr
        listed = run("cinegraph", "match", "--pending", "--list", "--json", env=env, folder=tmp_path)
        shown = run("cinegraph", "match", "--pending", "--list", env=env, folder=tmp_path)
        assert stats(replica.origin) == before, "looking asks nobody"
    waiting = json.loads(listed.stdout)["waiting"]
    assert len(waiting) == films
    assert {film["status"] for film in waiting} == {"error"}
    assert {film["error_type"] for film in waiting} <= {"server_error", "circuit_open"}
    assert "Films that wait for an answer" in shown.stdout


def test_a_crawl_counts_its_own_calls_and_not_those_of_others(tmp_path: Path) -> None:
    assert run("cinegraph", *IMDB, env=mock(tmp_path, **NO_MATCHER), folder=tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "run.db") as database:
        database.execute("update api_lookup_metrics set inserted_at = '2999-01-01 00:00:00.000000'")
    crawled = run("cinegraph", *IMDB, "--json", env=mock(tmp_path, **NO_MATCHER), folder=tmp_path)
    report = json.loads(crawled.stdout)
    assert (report["calls"], report["requests"]) == ({"imdb": 2}, {"imdb": 2}), "robots.txt and the page"
