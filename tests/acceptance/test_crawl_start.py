"""What ``scrapy crawl`` says and refuses before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import IMDB, VENICE, environment, mock, run


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
    done = run("scrapy", *arguments, env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run.db").exists()


@pytest.mark.parametrize("arguments", [("list",), VENICE])
def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run("scrapy", *arguments, env=mock(tmp_path, RETENTION_DAY="9"), folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "CINEGRAPH_RETENTION_DAYS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["scrapy", "cinegraph"])
def test_mock_data_is_said_to_be_so_once(tmp_path: Path, command: str) -> None:
    done = run(command, *IMDB, env=mock(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("MOCK data: the bundled replica answers") == 1


def test_a_real_crawl_says_nothing_of_mock_data_and_how_to_be_reached(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        done = run("scrapy", *IMDB, env=environment(tmp_path, replica.urls), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "MOCK" not in done.stderr
    assert "CINEGRAPH_CONTACT" in done.stderr


def test_with_the_replica_blocked_mock_mode_ends_at_the_start(tmp_path: Path) -> None:
    done = run("scrapy", *VENICE, env=mock(tmp_path, DISABLE_PLUGINS="replica"), folder=tmp_path)
    assert done.returncode == 1
    assert "CINEGRAPH_DISABLE_PLUGINS" in done.stderr
    assert "Traceback" not in done.stderr
