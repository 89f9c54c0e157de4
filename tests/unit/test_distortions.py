"""The distortions that matching is measured on: seeded, and each changes what its name says."""

from __future__ import annotations

import random
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from cinegraph_core.matching.likeness import agreement

FOLDER = Path(__file__).parents[2] / "benchmarks" / "matching"
ROW = {"title": "The Third River & Part II: A Tale", "year": 1999, "directors": ["Ana Example"]}


@pytest.fixture
def distort(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module("distort")


def changed(distort: ModuleType, kind: str, seed: int = 1) -> dict[str, object]:
    source = distort.Source(ROW, 7, "Der dritte Fluß")
    query: dict[str, object]
    query, answer = next(distort.distorted(kind, [source], random.Random(seed)))
    assert answer["tmdb_id"] == 7
    assert query["id"] == answer["id"] == f"{kind}-0000"
    return query


def test_a_seed_decides_everything(distort: ModuleType) -> None:
    for kind in ("typo 1", "typo 2", "word missing", "joined words", "remark added", "edition's year, no director"):
        assert changed(distort, kind) == changed(distort, kind)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("exact", "The Third River & Part II: A Tale"),
        ("article moved", "Third River & Part II: A Tale, The"),
        ("original (English)", "Der dritte Fluß (The Third River & Part II: A Tale)"),
        ("subtitle dropped", "The Third River & Part II"),
        ("& or and", "The Third River and Part II: A Tale"),
        ("CAPITALS", "THE THIRD RIVER & PART II: A TALE"),
    ],
)
def test_a_title_is_changed_in_one_way(distort: ModuleType, kind: str, title: str) -> None:
    assert changed(distort, kind)["title"] == title


def test_a_numeral_is_written_the_other_way(distort: ModuleType) -> None:
    sources = [distort.Source({**ROW, "title": title}, 7, "") for title in ("River II", "River 3")]
    titles = [query["title"] for query, _ in distort.distorted("roman or arabic", sources, random.Random(1))]
    assert titles == ["River 2", "River III"]


def test_years_and_directors_are_taken_away_or_moved(distort: ModuleType) -> None:
    assert [changed(distort, kind)["year"] for kind in ("year -1", "year +1", "year +2")] == [1998, 2000, 2001]
    assert "year" not in changed(distort, "no year")
    assert changed(distort, "no director")["directors"] == []
    assert changed(distort, "edition's year, no director")["festival"] in ("berlin", "cannes", "oscars", "venice")


def test_a_typo_leaves_the_title_alike(distort: ModuleType) -> None:
    source = distort.Source({**ROW, "title": "Wonderful Evening"}, 7, "")
    titles = {next(distort.distorted("typo 1", [source], random.Random(seed)))[0]["title"] for seed in range(20)}
    assert len(titles) > 10
    assert all(0.8 <= agreement(title, "Wonderful Evening") < 1 for title in titles)


def test_menu_strings_have_nothing_to_find(distort: ModuleType) -> None:
    pairs = list(distort.menu_strings(random.Random(1)))
    assert len(pairs) == distort.EACH
    assert {answer["tmdb_id"] for _, answer in pairs} == {None}
