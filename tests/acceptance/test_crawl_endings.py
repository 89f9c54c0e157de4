"""How ``scrapy crawl`` ends when something goes wrong on the way, and what is left then."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import BIN, IMDB, VENICE, count, environment, fault, mock, query, run, stats
from tests.support.waiting import within

DOOR = "cinegraph_core.crawling.door.DoorMiddleware"


def test_lesson_01_without_the_door_the_crawl_fails(tmp_path: Path) -> None:
    # Without the door Scrapy keeps its own pace of a second a page, which is not what this is about.
    without = ("-s", "DOWNLOADER_MIDDLEWARES=" + json.dumps({DOOR: None}), "-s", "DOWNLOAD_DELAY=0")
    done = run("scrapy", *VENICE, *without, "-O", "out.jsonl", env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 1
    assert "did not come through the door" in done.stderr
    assert count(tmp_path, "editions") == count(tmp_path, "nominations") == 0
    assert not (tmp_path / "out.jsonl").read_text(encoding="utf-8").strip()


def test_a_partial_outage_keeps_what_came(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls, SERVICES__VENICE__RETRIES="0")
        fault(replica.origin, "venice", "500", path="official-awards")
        partial = run("scrapy", *VENICE, env=env, folder=tmp_path)
        kept = count(tmp_path, "nominations")
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
    assert count(tmp_path, "nominations") >= kept


@pytest.mark.parametrize(
    ("service", "arguments"),
    [
        ("imdb", IMDB),
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
            reached = within(60, lambda: stats(replica.origin).get("tmdb", 0) >= 10)
            crawl.send_signal(signal.SIGINT)
            _, said = crawl.communicate(timeout=60)
        assert reached
        fault(replica.origin, "tmdb", None)
        assert crawl.returncode == 130, said
        assert "interrupted; whatever was done is kept" in said
        stored, decided = count(tmp_path, "nominations"), count(tmp_path, "match_decisions")
        ((sent,),) = query(tmp_path, "select sum(attempts) from api_lookup_metrics where kind = 'call' and source = 'tmdb'")
        assert within(5, lambda: stats(replica.origin)["tmdb"] == sent), (stats(replica.origin), sent)
        again = run("scrapy", *VENICE, env=env, folder=tmp_path)
    assert "cinegraph match --pending" in said
    assert stored > 60
    assert 0 < decided < count(tmp_path, "match_decisions")
    assert again.returncode == 0, again.stderr
    assert count(tmp_path, "nominations") == stored


@pytest.mark.parametrize("command", ["scrapy", "cinegraph"])
def test_ctrl_c_twice_is_an_interruption_too(tmp_path: Path, command: str) -> None:
    pipe = subprocess.PIPE
    with ReplicaServer() as replica:
        fault(replica.origin, "tmdb", "slow", seconds=5)
        env = environment(tmp_path, replica.urls, LOG_LEVEL="INFO")
        program = [str(BIN / command), *VENICE]
        with subprocess.Popen(program, env=env, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True) as crawl:
            assert within(60, lambda: stats(replica.origin).get("tmdb", 0) >= 1)
            crawl.send_signal(signal.SIGINT)
            assert crawl.stderr is not None
            assert any("Received SIGINT, shutting down" in line for line in crawl.stderr)
            crawl.send_signal(signal.SIGINT)
            _, said = crawl.communicate(timeout=60)
    assert crawl.returncode == 130, said
    assert "interrupted; whatever was done is kept" in said


def test_ctrl_c_does_not_make_a_healthy_site_look_down(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls, SERVICES__VENICE__DELAY="60")
        with subprocess.Popen([str(BIN / "scrapy"), *VENICE], env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as crawl:
            reached = within(60, lambda: sum(stats(replica.origin).get(service, 0) for service in ("tmdb", "imdb")) >= 2)
            crawl.send_signal(signal.SIGINT)
            _, said = crawl.communicate(timeout=60)
        assert reached
    assert crawl.returncode == 130, said
    assert query(tmp_path, "select count(*) from api_lookup_metrics where kind = 'call' and not success") == [(0,)]
    assert query(tmp_path, "select count(*) from api_lookup_metrics where kind = 'call' and source = 'venice'")[0][0] <= 2


def test_a_year_without_an_edition_ends_with_no_data(tmp_path: Path) -> None:
    done = run("scrapy", "crawl", "venice", "-a", "year=1943", env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Spider closed (no_data)" in done.stderr
    assert count(tmp_path, "editions") == 0


def test_an_edition_that_is_not_published_yet_ends_with_no_data(tmp_path: Path) -> None:
    year = datetime.now(tz=UTC).year
    done = run("scrapy", "crawl", "venice", "-a", f"year={year}", env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Spider closed (no_data)" in done.stderr
    assert f"venice {year}: no source has anything of it" in done.stderr


def test_a_past_edition_of_which_no_page_is_left_fails_and_says_why(tmp_path: Path) -> None:
    done = run("cinegraph", "crawl", "venice", "-a", "year=2001", env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 1
    assert "venice 2001: none of its pages is there, so their addresses may have changed" in done.stderr
    assert "10 pages error: HTTP 404, like every page of the edition; their addresses may have changed" in done.stderr
    assert "https://www.labiennale.org/en/cinema/2001/venezia-58-competition" in done.stderr
