"""A feed that is not whole is never passed over: the crawl ends with 1 and says which one, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.runs import IMDB, count, feed, run


@pytest.mark.parametrize("command", ["scrapy", "cinegraph"])
def test_a_feed_that_cannot_be_written_ends_the_crawl_before_it_begins(env: dict[str, str], tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    done = run(command, *IMDB, "-O", "file/out.jsonl", env=env, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the feed file/out.jsonl cannot be written: Not a directory; name a file" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run.db").exists()


@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
def test_a_full_disk_is_a_problem_of_the_crawl_and_costs_the_other_feed_nothing(
    env: dict[str, str], tmp_path: Path, form: str
) -> None:
    done = run("cinegraph", *IMDB, "-O", f"/dev/full:{form}", "-O", "whole.jsonl", "--json", env=env, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem == {
        "festival": None,
        "year": None,
        "url": "/dev/full",
        "outcome": "feed",
        "detail": "No space left on device",
    }
    assert done.stderr.count("the feed /dev/full is not whole: No space left on device") == 1
    assert len(feed(tmp_path / "whole.jsonl")) == count(tmp_path, "nominations") > 10


def test_a_place_that_is_known_too_late_costs_the_other_feed_nothing(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "imdb").touch()
    feeds = ("-O", "%(name)s/out.jsonl", "-O", "whole.jsonl")
    done = run("scrapy", *IMDB, *feeds, env=env, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "the feed imdb/out.jsonl is not whole: " in done.stderr
    assert "the feed whole.jsonl" not in done.stderr
    assert len(feed(tmp_path / "whole.jsonl")) == count(tmp_path, "nominations") > 10


def test_a_format_that_does_not_take_an_edition_is_told(env: dict[str, str], tmp_path: Path) -> None:
    feeds = ("-O", "out.marshal", "-O", "whole.csv")
    done = run("scrapy", *IMDB, *feeds, env=env, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "the feed out.marshal is not whole: not every item could be written, and the log says why" in done.stderr


def test_a_feed_that_scrapy_does_not_store_is_told_and_the_next_command_writes_a_file(
    env: dict[str, str], tmp_path: Path
) -> None:
    done = run("cinegraph", *IMDB, "-O", "ftp://127.0.0.1:1/out.jsonl", env=env, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "the feed of FTPFeedStorage is not whole: Scrapy could not store it, and the log says why" in done.stderr
    assert done.stderr.partition("Try next:")[2].splitlines()[1].endswith("-O imdb.jsonl")
