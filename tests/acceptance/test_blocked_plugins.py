"""With any built-in plugin blocked, the rest works and says so."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.support.runs import environment, query, run

BUILT_IN = sorted(entry.name for entry in entry_points(group="cinegraph") if entry.dist and entry.dist.name == "cinegraph")
CRAWL = ("crawl", "venice", "-a", "year=2023", "-O", "out.jsonl")


def test_the_built_in_plugins_are_those_the_contract_names() -> None:
    strategies = ["direct_imdb", "exact_title_year", "normalized_title", "year_tolerant", "fuzzy_title", "broad_search"]

    assert {f"tmdb_{strategy}" for strategy in strategies} <= set(BUILT_IN)
    assert {"tmdb", "omdb", "venice", "imdb", "sql", "replica"} <= set(BUILT_IN)


@pytest.mark.parametrize("blocked", BUILT_IN)
def test_with_it_blocked_the_rest_works_and_says_so(blocked: str, tmp_path: Path) -> None:
    env = environment(tmp_path, {}, MODE="mock", DISABLE_PLUGINS=blocked)

    listed = json.loads(run("cinegraph", "plugins", "--json", env=env, folder=tmp_path).stdout)["plugins"]
    assert {one["name"]: one["status"] for one in listed} == {
        name: "blocked" if name == blocked else "active" for name in BUILT_IN
    }

    crawl = run("scrapy", *CRAWL, env=env, folder=tmp_path)
    if blocked == "replica":
        assert crawl.returncode == 1
        assert "replica" in crawl.stderr
        assert "CINEGRAPH_DISABLE_PLUGINS" in crawl.stderr
        return
    if blocked == "venice":
        assert crawl.returncode != 0
        assert "venice" in crawl.stderr
        return
    # A page or a film that could not be asked for is a failure, and named; everything else is there.
    assert crawl.returncode == (blocked in ("imdb", "tmdb")), crawl.stderr
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {line["edition"]["year"] for line in lines} == {2023}
    calls = query(tmp_path, "select count(*) from api_lookup_metrics where kind = 'call'")
    assert (calls == [(0,)]) == (blocked == "sql")
    statuses = {film["match"]["status"] if film["match"] else None for line in lines for film in line["films"]}
    assert ("matched" in statuses) == (blocked != "tmdb")
    assert ("error" in statuses) == (blocked == "tmdb")
    if blocked in ("sql", "tmdb", "imdb"):
        assert f"'{blocked}'" in crawl.stderr
