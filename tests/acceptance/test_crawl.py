"""``scrapy crawl`` as a person runs it: what it stores and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import IMDB, VENICE, count, environment, fault, feed, mock, query, run


def test_an_edition_comes_home_in_mock_mode(tmp_path: Path) -> None:
    done = run("scrapy", *VENICE, "-O", "out.jsonl", env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = feed(tmp_path / "out.jsonl")
    assert len(lines) == count(tmp_path, "nominations") > 60
    golden = next(line for line in lines if line["award"] and "golden lion" in line["award"].lower() and line["is_winner"])
    assert golden["edition"] == {"year": 2024, "number": 81, "instance": 1}
    assert golden["source"]["provenance"] == "mock"
    assert golden["source"]["url"].startswith("https://www.")
    assert {line["festival"] for line in lines} == {"venice"}
    assert set(golden) == {
        *("festival", "edition", "section", "award", "category", "is_winner", "notes", "films", "people", "source")
    }
    matches = [film["match"] for line in lines for film in line["films"]]
    assert None not in matches
    assert sum(match["status"] == "matched" for match in matches) > len(matches) / 2


def test_a_second_crawl_changes_nothing(tmp_path: Path) -> None:
    tables = ("editions", "nominations", "nomination_sources", "films", "people", "match_decisions", "edition_pages")
    first = run("scrapy", *VENICE, env=mock(tmp_path), folder=tmp_path)
    assert first.returncode == 0, first.stderr
    before = {table: count(tmp_path, table) for table in tables}
    second = run("scrapy", *VENICE, "-O", "out.jsonl", env=mock(tmp_path), folder=tmp_path)
    assert second.returncode == 0, second.stderr
    assert {table: count(tmp_path, table) for table in tables} == before
    assert len(feed(tmp_path / "out.jsonl")) == before["nominations"]


def test_without_matchers_the_films_wait_and_it_says_so(tmp_path: Path) -> None:
    levels = ("direct_imdb", "exact_title_year", "normalized_title", "year_tolerant", "fuzzy_title", "broad_search")
    blocked = ",".join(f"tmdb_{level}" for level in levels)
    done = run("scrapy", *VENICE, "-O", "out.jsonl", env=mock(tmp_path, DISABLE_PLUGINS=blocked), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no matcher is active" in done.stderr
    assert count(tmp_path, "films") > 40
    assert count(tmp_path, "match_decisions") == 0
    assert {film["match"] for line in feed(tmp_path / "out.jsonl") for film in line["films"]} == {None}


def test_missing_fetches_only_what_is_not_stored(tmp_path: Path) -> None:
    years = ("crawl", "venice", "-a", "years=2023-2024", "-a", "missing=true")
    assert run("scrapy", *VENICE, env=mock(tmp_path), folder=tmp_path).returncode == 0
    asked = "select count(*) from api_lookup_metrics where operation = 'fetch_event'"
    before = query(tmp_path, asked)[0][0]
    assert run("scrapy", *years, env=mock(tmp_path), folder=tmp_path).returncode == 0
    assert query(tmp_path, "select year from editions order by 1") == [(2023,), (2024,)]
    assert query(tmp_path, asked)[0][0] == before + 1
    last = run("scrapy", *years, env=mock(tmp_path), folder=tmp_path)
    assert last.returncode == 0
    assert "every edition asked for is stored already" in last.stderr


def test_csv_and_json_feeds_hold_the_same_lines(tmp_path: Path) -> None:
    done = run("scrapy", *IMDB, "-O", "out.csv", "-O", "out.json", env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("festival,edition_year,edition_number")
    assert len(rows) - 1 == len(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))) == count(tmp_path, "nominations")


def test_scrapy_list_knows_every_source(tmp_path: Path) -> None:
    everyone = run("scrapy", "list", env=mock(tmp_path), folder=tmp_path)
    assert everyone.stdout.split() == ["imdb", "venice"]
    alone = run("scrapy", "list", env=mock(tmp_path, DISABLE_PLUGINS="imdb"), folder=tmp_path)
    assert alone.stdout.split() == ["venice"]


FOREIGN = {
    "settings.py": 'ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500}\nSPIDER_MODULES = ["foreign_spiders"]\n',
    "foreign_spiders.py": """
import os, scrapy

class Foreign(scrapy.Spider):
    name = "foreign"
    start_urls = [os.environ["FOREIGN_URL"] + "/venice/en/cinema/2024/orizzonti"]

    def parse(self, response):
        yield {"title": response.css("title::text").get(), "status": response.status}
""",
}


def test_the_addon_gives_a_foreign_project_the_door(tmp_path: Path) -> None:
    for name, text in FOREIGN.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with ReplicaServer() as replica:
        env = environment(tmp_path, {}, MODE="mock") | {
            "SCRAPY_SETTINGS_MODULE": "settings",
            "FOREIGN_URL": replica.origin,
            "PYTHONPATH": str(tmp_path),
        }
        fault(replica.origin, "venice", "503", times=1, path="orizzonti")
        done = run("scrapy", "crawl", "foreign", "-O", "out.jsonl", env=env, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = feed(tmp_path / "out.jsonl")
    assert line["status"] == 200
    rows = query(tmp_path, "select operation, attempts, success from api_lookup_metrics where kind = 'call' order by 1")
    assert rows == [("fetch_page", 2, 1), ("robots_txt", 1, 1)]
