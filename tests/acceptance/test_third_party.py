"""A package that somebody else wrote: installed with pip, it works like ours; a broken one is listed and harms nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "cinegraph-locarno"
BROKEN = ROOT / "tests" / "fixtures" / "plugins" / "broken"
AWARDS_OF_2024 = 5


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, installed by pip into a folder of its own, so that the suite's other tests do not see it."""
    folder = tmp_path_factory.mktemp("site")
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / EXAMPLE.name)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-build-isolation", "--no-index", "--target", str(folder), str(source)], check=True, timeout=90)
    return folder


def run(directory: Path, *command: str, path: tuple[Path, ...], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a console script of the test's own Python in an empty directory, with these folders on the path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CINEGRAPH_", "TMDB_", "OMDB_"))}
    environment = {
        **clean,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "SCRAPY_SETTINGS_MODULE": "cinegraph_spiders.settings",
        **environ,
    }
    program = Path(sys.executable).parent / command[0]
    return subprocess.run(
        [str(program), *command[1:]], cwd=directory, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def listed(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, object]]:
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)["plugins"]}


def test_it_is_listed_with_its_distribution_and_what_it_brings(installed: Path, tmp_path: Path) -> None:
    plugins = listed(run(tmp_path, "cinegraph", "plugins", "--json", path=(installed,)))
    assert plugins["locarno"] == {
        "name": "locarno",
        "version": "1.0.0",
        "distribution": "cinegraph-locarno",
        "kinds": ["source", "matcher", "metrics_sink", "service", "replica"],
        "status": "active",
        "reason": None,
    }


def test_its_spider_is_there_without_an_edit_anywhere(installed: Path, tmp_path: Path) -> None:
    with_it = run(tmp_path, "scrapy", "list", path=(installed,))
    without = run(tmp_path, "scrapy", "list", path=())
    assert with_it.returncode == without.returncode == 0, with_it.stderr
    assert set(with_it.stdout.split()) - set(without.stdout.split()) == {"locarno"}


def test_its_crawl_stores_matches_and_measures_offline(installed: Path, tmp_path: Path) -> None:
    paper = tmp_path / "paper.txt"
    crawl = ("scrapy", "crawl", "locarno", "-a", "year=2024", "-O", "out.jsonl")
    done = run(tmp_path, *crawl, path=(installed,), LOCARNO_MEASUREMENTS=str(paper))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["films"][0]["title"] for line in lines if line["award"] == "Golden Leopard"] == ["Akiplėša (Toxic)"]
    assert len(lines) == AWARDS_OF_2024

    database = sqlite3.connect(tmp_path / "cinegraph-mock.db")
    try:
        (stored,) = database.execute("SELECT count(*) FROM nominations").fetchone()
        (pages,) = database.execute(
            "SELECT count(*) FROM api_lookup_metrics WHERE source = 'locarno' AND operation = 'fetch_awards' AND success"
        ).fetchone()
        (levels,) = database.execute(
            "SELECT count(*) FROM api_lookup_metrics WHERE kind = 'level' AND operation = 'fallback_bracketed_title'"
        ).fetchone()
        (rows,) = database.execute("SELECT count(*) FROM api_lookup_metrics").fetchone()
    finally:
        database.close()
    assert (stored, pages) == (AWARDS_OF_2024, 1)
    assert levels >= 1
    assert len(paper.read_text(encoding="utf-8").splitlines()) == rows


def test_its_metrics_stand_in_the_summary(installed: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "scrapy", "crawl", "locarno", "-a", "year=2024", path=(installed,))
    assert done.returncode == 0, done.stderr
    summary = run(tmp_path, "cinegraph", "metrics", "summary", "--json", path=(installed,))
    assert summary.returncode == 0, summary.stderr
    (locarno,) = [row for row in json.loads(summary.stdout)["sources"] if row["source"] == "locarno"]
    assert (locarno["ok"], locarno["success_rate"]) == (locarno["calls"], 1.0)


def test_blocked_by_name_it_is_gone_and_the_rest_works(installed: Path, tmp_path: Path) -> None:
    blocked = {"CINEGRAPH_DISABLE_PLUGINS": "locarno"}
    plugins = listed(run(tmp_path, "cinegraph", "plugins", "--json", path=(installed,), **blocked))
    assert plugins["locarno"]["status"] == "blocked"
    spiders = run(tmp_path, "scrapy", "list", path=(installed,), **blocked).stdout.split()
    assert "locarno" not in spiders
    assert "venice" in spiders


def test_a_broken_package_is_listed_as_failed_and_harms_nothing(installed: Path, tmp_path: Path) -> None:
    both = (installed, BROKEN)
    plugins = listed(run(tmp_path, "cinegraph", "plugins", "--json", path=both))
    broken = {name: row for name, row in plugins.items() if row["distribution"] == "cinegraph-broken"}
    assert broken
    assert {(row["status"], row["version"]) for row in broken.values()} == {("failed", "0.3")}
    assert "a_module_that_is_not_installed" in str(broken["import_error"]["reason"])
    done = run(tmp_path, "scrapy", "crawl", "locarno", "-a", "year=2024", "-O", "out.jsonl", path=both)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == AWARDS_OF_2024


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    done = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", str(tests), path=(installed,))
    assert done.returncode == 0, done.stdout + done.stderr
