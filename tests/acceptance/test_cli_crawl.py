"""``cinegraph crawl`` as people and programs use it: a report beside the feed, and what to try next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cinegraph_core.cli.crawl_report import CrawlReport
from tests.support.runs import IMDB, VENICE, feed, query, run


def test_a_crawl_tells_what_was_found_and_what_to_try_next(env: dict[str, str], tmp_path: Path) -> None:
    first = run("cinegraph", *IMDB, "-O", "out.jsonl", env=env, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "what was found · MOCK data" in first.stdout
    assert max(map(len, first.stdout.splitlines())) <= 80
    assert first.stderr.count("cinegraph ") >= 3
    second = run("cinegraph", *IMDB, "--json", env=env, folder=tmp_path)
    assert second.returncode == 0, second.stderr
    report = json.loads(second.stdout)
    assert set(report) == set(CrawlReport.__dataclass_fields__)
    assert report["nominations"] == len(feed(tmp_path / "out.jsonl")) > 10
    assert report["films"] == query(tmp_path, "select count(*) from films where merged_into is null")[0][0]
    assert report["films"] == sum(report["films_by_status"].values())
    assert report["films_by_status"]["matched"] == sum(report["matched_by_level"].values())
    assert report["calls"].keys() == {"imdb"}, "the second crawl asks for the page again, and for no film"
    assert (report["mode"], report["reason"]) == ("mock", "finished")


def test_a_feed_on_standard_output_stands_there_alone(env: dict[str, str], tmp_path: Path) -> None:
    arguments = (*IMDB, "-o", "-:jsonl")
    done = run("cinegraph", *arguments, env=env, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line)["festival"] for line in done.stdout.splitlines())
    assert "what was found" in done.stderr
    assert run("cinegraph", *arguments, "--json", env=env, folder=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["venise"], "there is no spider 'venise'; there are:"),
        (["venice", "-a", "yeer=2024"], "'year'"),
        (["venice", "-a", "year"], "write NAME=VALUE"),
        (["venice", "-a", "year=2024", "-O", "out.docx"], "Unrecognized output format"),
    ],
)
def test_a_wrong_argument_of_a_crawl_is_named(env: dict[str, str], tmp_path: Path, arguments: list[str], told: str) -> None:
    done = run("cinegraph", "crawl", *arguments, env=env, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_crawl_works_beside_a_foreign_scrapy_project(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = somebody_elses.settings\n")
    del env["SCRAPY_SETTINGS_MODULE"]
    done = run("cinegraph", *IMDB, env=env, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_with_the_replica_blocked_mock_mode_ends_with_the_remedy(env: dict[str, str], tmp_path: Path) -> None:
    env["CINEGRAPH_DISABLE_PLUGINS"] = "replica"
    done = run("cinegraph", *VENICE, env=env, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "CINEGRAPH_MODE" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_pending_is_well_and_nothing_stored_is_not(env: dict[str, str], tmp_path: Path) -> None:
    empty = run("cinegraph", "match", "--pending", env=env, folder=tmp_path)
    assert empty.returncode == 3
    assert "no film is stored yet" in empty.stderr
    run("cinegraph", *IMDB, env=env, folder=tmp_path)
    decided = run("cinegraph", "match", "--pending", "--json", env=env, folder=tmp_path)
    assert decided.returncode == 0
    assert json.loads(decided.stdout)["left"] == 0
