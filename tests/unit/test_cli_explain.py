"""``cinegraph match --explain``: how an answer came about, for people and for programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root

FILM = ("match", "--title", "Poor Things", "--year", "2023", "--director", "Yorgos Lanthimos")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEGRAPH_MODE", "mock")
    return tmp_path


def test_a_person_sees_levels_candidates_parts_and_requests(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run([*FILM, "--explain"]) == endings.DONE
    shown = " ".join(capsys.readouterr().out.split())
    for wanted in (
        "Levels tried",
        "exact_title_year",
        "search_movie",
        "movie_details",
        "accepted",
        "What the scores are made of",
    ):
        assert wanted in shown
    assert "directors +" in shown


def test_a_program_gets_the_same_as_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run([*FILM, "--json"]) == endings.DONE
    plain = json.loads(capsys.readouterr().out)
    assert root.run([*FILM, "--json", "--explain"]) == endings.DONE
    explained = json.loads(capsys.readouterr().out)
    explain = explained.pop("explain")
    assert explained == plain
    assert sum(level["api_calls"] for level in explain["levels"]) == plain["api_calls"]
    assert explain["levels"][-1]["accepted"]
    best = explain["candidates"][0]
    assert (best["tmdb_id"], best["verified"], best["contradictions"]) == (plain["tmdb_id"], True, [])
    assert best["parts"]["title"] > 0
    assert best["why"] == plain["candidates"][0]["why"]


def test_every_line_of_a_stream_is_explained(
    capsysbinary: pytest.CaptureFixture[bytes], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [{"id": "a", "title": "Anora", "year": 2024}, {"id": "b"}, {"id": "c", "title": "Anora", "year": 2024}]
    (folder / "q").write_text("\n".join(map(json.dumps, queries)))
    with (folder / "q").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        code = root.run(["match", "--json", "--explain"])
    rows = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert code == endings.FAILED
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert "explain" not in rows[1]
    assert rows[0]["explain"]["levels"]
    assert rows[2]["explain"] == rows[0]["explain"]


def test_the_backlog_is_not_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["match", "--pending", "--explain"]) == endings.WRONG_USAGE
    assert "--explain" in capsys.readouterr().err
