"""A Scrapy project that knows nothing of us gains the door with one line of its settings."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fault_server import FaultServer, answer, html

PROJECT = Path(__file__).resolve().parents[2] / "examples" / "foreign-scrapy-project"
LINE = 'ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500}\n'
DEAD = 40


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))


def scrapy(project: Path, *arguments: str) -> str:
    """Run a command of Scrapy's in the project and return what it prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CINEGRAPH_", "SCRAPY_", "TMDB_"))}
    command = [str(Path(sys.executable).parent / "scrapy"), *arguments]
    done = subprocess.run(command, cwd=project, env=clean, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def crawl(project: Path, server: FaultServer, *, line: bool = True) -> list[str]:
    """Run the spider as its owner does and return the titles it found."""
    settings = project / "bookshelf" / "settings.py"
    text = settings.read_text(encoding="utf-8")
    assert text.count(LINE) == 1
    if not line:
        settings.write_text(text.replace(LINE, ""), encoding="utf-8")
    scrapy(project, "crawl", "shelf", "-a", f"site={server.url}/", "-O", "books.json")
    return sorted(book["title"] for book in json.loads((project / "books.json").read_text(encoding="utf-8") or "[]"))


def shelve(server: FaultServer, paths: list[str]) -> None:
    server.plan("/", html(200, "".join(f'<a href="{path}">book</a>' for path in paths).encode()))


def rows(project: Path) -> dict[str, tuple[int, int, str | None]]:
    """Success, attempts and error type of every call on record, by path."""
    with sqlite3.connect(project / "cinegraph-mock.db") as database:
        found = database.execute(
            "select target_identifier, success, attempts, error_type from api_lookup_metrics where kind = 'call'"
        ).fetchall()
    database.close()
    return {target: tuple(rest) for target, *rest in found}


def test_its_spider_gets_retries_retry_after_and_a_record(server: FaultServer, project: Path) -> None:
    shelve(server, ["/well", "/shaky", "/busy"])
    server.plan("/well", html(200, b"<h1>Well</h1>"))
    server.plan("/shaky", answer(503), html(200, b"<h1>Shaky</h1>"))
    server.plan("/busy", answer(429, b"", {"Retry-After": "1"}), html(200, b"<h1>Busy</h1>"))
    assert crawl(project, server) == ["Busy", "Shaky", "Well"]
    assert rows(project) == {"/": (1, 1, None), "/well": (1, 1, None), "/shaky": (1, 2, None), "/busy": (1, 2, None)}


def test_its_shell_gets_a_page_that_has_to_be_waited_for(server: FaultServer, project: Path) -> None:
    server.plan("/shaky", answer(503), html(200, b"<h1>Shaky</h1>"))
    shown = scrapy(project, "shell", "-c", "response.css('h1::text').get()", f"{server.url}/shaky")
    assert shown.strip() == "Shaky"


def test_a_dead_host_is_left_alone(server: FaultServer, project: Path) -> None:
    paths = [f"/{number}" for number in range(DEAD)]
    shelve(server, paths)
    for path in paths:
        server.plan(path, answer(503))
    assert crawl(project, server) == []
    with_door = sum(server.counts[path] for path in paths)
    ends = [error for _, _, error in rows(project).values() if error]
    assert len(ends) == DEAD
    assert "circuit_open" in ends
    assert with_door < DEAD / 2

    server.received.clear()
    assert crawl(project, server, line=False) == []
    assert sum(server.counts[path] for path in paths) == 3 * DEAD, "Scrapy alone asks three times for each"
