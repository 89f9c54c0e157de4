"""``scrapy crawl`` as a person runs it: what it stores, what it writes, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import BIN, environment, fault, query, run, stats

VENICE = ("crawl", "venice", "-a", "year=2024")
DOOR = "cinegraph_core.crawling.door.DoorMiddleware"


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _count(folder: Path, table: str) -> int:
    return int(query(folder, f"select count(*) from {table}")[0][0])


def _mock(folder: Path, **settings: str) -> dict[str, str]:
    """An environment in mock mode, whose replica the crawl starts by itself."""
    return environment(folder, {}, MODE="mock", **settings)


def test_an_edition_comes_home_in_mock_mode(tmp_path: Path) -> None:
    done = run("scrapy", *VENICE, "-O", "out.jsonl", env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = _lines(tmp_path / "out.jsonl")
    assert len(lines) == _count(tmp_path, "nominations") > 60
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
    first = run("scrapy", *VENICE, env=_mock(tmp_path), folder=tmp_path)
    assert first.returncode == 0, first.stderr
    before = {table: _count(tmp_path, table) for table in tables}
    second = run("scrapy", *VENICE, "-O", "out.jsonl", env=_mock(tmp_path), folder=tmp_path)
    assert second.returncode == 0, second.stderr
    assert {table: _count(tmp_path, table) for table in tables} == before
    assert len(_lines(tmp_path / "out.jsonl")) == before["nominations"]


def test_lesson_01_without_the_door_the_crawl_fails(tmp_path: Path) -> None:
    without = ("-s", "DOWNLOADER_MIDDLEWARES=" + json.dumps({DOOR: None}))
    done = run("scrapy", *VENICE, *without, "-O", "out.jsonl", env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 1
    assert "did not come through the door" in done.stderr
    assert _count(tmp_path, "editions") == _count(tmp_path, "nominations") == 0
    assert not (tmp_path / "out.jsonl").read_text(encoding="utf-8").strip()


def test_a_partial_outage_keeps_what_came(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls, SERVICES__VENICE__RETRIES="0")
        fault(replica.origin, "venice", "500", path="official-awards")
        partial = run("scrapy", *VENICE, env=env, folder=tmp_path)
        kept = _count(tmp_path, "nominations")
        status = query(tmp_path, "select status from editions")
        outcomes = dict(query(tmp_path, "select outcome, count(*) from edition_pages group by 1"))
        fault(replica.origin, "venice", None)
        whole = run("scrapy", *VENICE, env=env, folder=tmp_path)
    assert partial.returncode == 1, partial.stderr
    assert status == [("partial",)]
    assert outcomes["error"] == 1
    assert kept > 0
    assert whole.returncode == 0, whole.stderr
    assert query(tmp_path, "select status from editions") == [("complete",)]
    assert _count(tmp_path, "nominations") >= kept


@pytest.mark.parametrize(
    ("service", "arguments"),
    [
        ("imdb", ("crawl", "imdb", "-a", "event=ev0000681", "-a", "year=2024")),
        ("venice", (*VENICE, "-a", "via=official")),
    ],
)
def test_lesson_16_a_challenge_is_blocked_and_leaves_good_data_alone(
    tmp_path: Path, service: str, arguments: tuple[str, ...]
) -> None:
    said = "select source, source_key, withdrawn_at from nomination_sources order by 1, 2"
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls)
        assert run("scrapy", *arguments, env=env, folder=tmp_path).returncode == 0
        before = query(tmp_path, said)
        fault(replica.origin, service, "waf")
        blocked = run("scrapy", *arguments, env=env, folder=tmp_path)
    assert blocked.returncode == 1
    assert query(tmp_path, said) == before
    assert len(before) > 0
    assert query(tmp_path, "select distinct outcome from edition_pages") == [("blocked",)]
    failed = "select distinct operation != 'robots_txt', error_type from api_lookup_metrics where kind = 'call' and success = 0"
    assert sorted(query(tmp_path, f"{failed} and source = '{service}'")) == [(0, "blocked"), (1, "blocked")]


def test_ctrl_c_keeps_what_was_done(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        fault(replica.origin, "tmdb", "slow", seconds=0.2)
        env = environment(tmp_path, replica.urls)
        with subprocess.Popen([str(BIN / "scrapy"), *VENICE], env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as crawl:
            patience = time.monotonic() + 60
            while stats(replica.origin).get("tmdb", 0) < 10 and time.monotonic() < patience:
                time.sleep(0.01)
            crawl.send_signal(signal.SIGINT)
            _, said = crawl.communicate(timeout=60)
        fault(replica.origin, "tmdb", None)
        assert crawl.returncode == 130, said
        stored, decided = _count(tmp_path, "nominations"), _count(tmp_path, "match_decisions")
        sent = query(tmp_path, "select sum(attempts) from api_lookup_metrics where kind = 'call' and source = 'tmdb'")
        assert sent == [(stats(replica.origin)["tmdb"],)]
        again = run("scrapy", *VENICE, env=env, folder=tmp_path)
    assert "cinegraph match --pending" in said
    assert stored > 60
    assert 0 < decided < _count(tmp_path, "match_decisions")
    assert again.returncode == 0, again.stderr
    assert _count(tmp_path, "nominations") == stored


def test_ctrl_c_does_not_make_a_healthy_site_look_down(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls, SERVICES__VENICE__DELAY="60")
        with subprocess.Popen([str(BIN / "scrapy"), *VENICE], env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as crawl:
            patience = time.monotonic() + 60
            while stats(replica.origin).get("tmdb", 0) + stats(replica.origin).get("imdb", 0) < 2 and time.monotonic() < patience:
                time.sleep(0.01)
            crawl.send_signal(signal.SIGINT)
            _, said = crawl.communicate(timeout=60)
    assert crawl.returncode == 130, said
    assert query(tmp_path, "select count(*) from api_lookup_metrics where kind = 'call' and not success") == [(0,)]
    assert query(tmp_path, "select count(*) from api_lookup_metrics where kind = 'call' and source = 'venice'")[0][0] <= 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("crawl", "venice", "-a", "yaer=2024"), "year"),
        (("crawl", "venice", "-a", "years=2024-2019"), "2019-2024"),
        (("crawl", "venice", "-a", "year=1950", "-a", "via=official"), "via=imdb"),
        (("crawl", "imdb", "-a", "year=2023"), "ev0000681"),
        (("crawl", "venise"), "venice"),
        (("crawl", "venice", "-a", "year=2024", "-a", "missing=perhaps"), "true"),
    ],
)
def test_a_wrong_argument_is_told_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run("scrapy", *arguments, env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run.db").exists()


@pytest.mark.parametrize("arguments", [("list",), VENICE])
def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run("scrapy", *arguments, env=_mock(tmp_path, RETENTION_DAY="9"), folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "CINEGRAPH_RETENTION_DAYS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["scrapy", "cinegraph"])
def test_mock_data_is_said_to_be_so_once(tmp_path: Path, command: str) -> None:
    imdb = ("crawl", "imdb", "-a", "event=ev0000681", "-a", "year=2024")
    done = run(command, *imdb, env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("MOCK data: the bundled replica answers") == 1


def test_a_real_crawl_says_nothing_of_mock_data_and_how_to_be_reached(tmp_path: Path) -> None:
    imdb = ("crawl", "imdb", "-a", "event=ev0000681", "-a", "year=2024")
    with ReplicaServer() as replica:
        done = run("scrapy", *imdb, env=environment(tmp_path, replica.urls), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "MOCK" not in done.stderr
    assert "CINEGRAPH_CONTACT" in done.stderr


def test_with_the_replica_blocked_mock_mode_ends_at_the_start(tmp_path: Path) -> None:
    done = run("scrapy", *VENICE, env=_mock(tmp_path, DISABLE_PLUGINS="replica"), folder=tmp_path)
    assert done.returncode == 1
    assert "CINEGRAPH_DISABLE_PLUGINS" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_matchers_the_films_wait_and_it_says_so(tmp_path: Path) -> None:
    levels = ("direct_imdb", "exact_title_year", "normalized_title", "year_tolerant", "fuzzy_title", "broad_search")
    blocked = ",".join(f"tmdb_{level}" for level in levels)
    done = run("scrapy", *VENICE, "-O", "out.jsonl", env=_mock(tmp_path, DISABLE_PLUGINS=blocked), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no matcher is active" in done.stderr
    assert _count(tmp_path, "films") > 40
    assert _count(tmp_path, "match_decisions") == 0
    assert {film["match"] for line in _lines(tmp_path / "out.jsonl") for film in line["films"]} == {None}


def test_a_year_without_an_edition_ends_with_no_data(tmp_path: Path) -> None:
    done = run("scrapy", "crawl", "venice", "-a", "year=1943", env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Spider closed (no_data)" in done.stderr
    assert _count(tmp_path, "editions") == 0


def test_an_edition_that_is_not_published_yet_ends_with_no_data(tmp_path: Path) -> None:
    year = datetime.now(tz=UTC).year
    done = run("scrapy", "crawl", "venice", "-a", f"year={year}", env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Spider closed (no_data)" in done.stderr
    assert f"venice {year}: no source has anything of it" in done.stderr


def test_a_past_edition_of_which_no_page_is_left_fails_and_says_why(tmp_path: Path) -> None:
    done = run("cinegraph", "crawl", "venice", "-a", "year=2001", env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 1
    assert "venice 2001: none of its pages is there, so their addresses may have changed" in done.stderr
    assert "10 pages error: HTTP 404, like every page of the edition; their addresses may have changed" in done.stderr
    assert "https://www.labiennale.org/en/cinema/2001/venezia-58-competition" in done.stderr


def test_missing_fetches_only_what_is_not_stored(tmp_path: Path) -> None:
    years = ("crawl", "venice", "-a", "years=2023-2024", "-a", "missing=true")
    assert run("scrapy", *VENICE, env=_mock(tmp_path), folder=tmp_path).returncode == 0
    asked = "select count(*) from api_lookup_metrics where operation = 'fetch_event'"
    before = query(tmp_path, asked)[0][0]
    assert run("scrapy", *years, env=_mock(tmp_path), folder=tmp_path).returncode == 0
    assert query(tmp_path, "select year from editions order by 1") == [(2023,), (2024,)]
    assert query(tmp_path, asked)[0][0] == before + 1
    last = run("scrapy", *years, env=_mock(tmp_path), folder=tmp_path)
    assert last.returncode == 0
    assert "every edition asked for is stored already" in last.stderr


def test_csv_and_json_feeds_hold_the_same_lines(tmp_path: Path) -> None:
    imdb = ("crawl", "imdb", "-a", "event=ev0000681", "-a", "year=2024")
    done = run("scrapy", *imdb, "-O", "out.csv", "-O", "out.json", env=_mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("festival,edition_year,edition_number")
    assert (
        len(rows) - 1 == len(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))) == _count(tmp_path, "nominations")
    )


def test_scrapy_list_knows_every_source(tmp_path: Path) -> None:
    everyone = run("scrapy", "list", env=_mock(tmp_path), folder=tmp_path)
    assert everyone.stdout.split() == ["imdb", "venice"]
    alone = run("scrapy", "list", env=_mock(tmp_path, DISABLE_PLUGINS="imdb"), folder=tmp_path)
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
    (line,) = _lines(tmp_path / "out.jsonl")
    assert line["status"] == 200
    rows = query(tmp_path, "select operation, attempts, success from api_lookup_metrics where kind = 'call' order by 1")
    assert rows == [("fetch_page", 2, 1), ("robots_txt", 1, 1)]
