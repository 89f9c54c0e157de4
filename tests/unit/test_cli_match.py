"""The questions of ``cinegraph match``: those that are none cost no request and are wrong usage."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stdin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with (folder / "stdin").open("w+") as file:
        monkeypatch.setattr(sys, "stdin", file)

        def give(text: str) -> None:
            file.write(text)
            file.seek(0)

        yield give


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--title", ""], "a query needs a 'title'"),
        (["--title", "  "], "a query needs a 'title'"),
        (["--title", "Maria", "--year", "99999"], "'year' must be a whole number from 1870"),
        (["--title", "Maria", "--year", "0"], "'year' must be a whole number from 1870"),
        (["--title", "Maria", "--edition", "24"], "'edition' must be a whole number from 1870"),
        (["--title", "Maria", "--runtime", "0"], "'runtime_minutes' must be a whole number from 1"),
        (["--title", "Maria", "--imdb-id", "../x"], "'imdb_id' must be an IMDb id"),
        (["--imdb-id", "a/b"], "'imdb_id' must be an IMDb id"),
        (["--title", os.fsdecode(b"Caf\xe9")], "half a surrogate pair"),
        (["--pending", "--year", "2024"], "--pending does not go together with --year"),
        (["--pending", "--imdb-id", "tt0095016"], "--pending does not go together with --imdb-id"),
        (["--pending", "--title", ""], "--pending does not go together with --title"),
        (["--pending", "--director", "Jafar Panahi"], "--pending does not go together with --director"),
        (["--pending", "--resume", "out.jsonl"], "--pending does not go together with --resume"),
        (["--imdb-id", "tt0095016", "--resume", "out.jsonl"], "does not go together with --resume"),
        (["--json", "--year", "0"], "does not go together with --year"),
        (["--resume", "no/such/folder/out.jsonl"], "out.jsonl cannot be written (No such file or directory)"),
    ],
)
def test_a_question_that_is_none_is_wrong_usage(
    options: list[str], told: str, stdin: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin('{"id": 1, "title": "Maria"}\n')
    assert root.run(["match", *options]) == endings.WRONG_USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert not list(folder.glob("*.db")), "nothing was opened"


@pytest.mark.parametrize("option", ["--imdb-id=tt18561148", "--original-title=La habitación de al lado"])
def test_an_imdb_id_or_an_original_title_is_a_question_of_its_own(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["match", option, "--json"]) == endings.DONE
    assert '"status": "' in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_input_is_an_empty_hand(text: str, stdin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(text)
    assert root.run(["match", "--json"]) == endings.NOTHING_TO_DO
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no query on standard input" in captured.err


def test_an_answer_without_candidates_draws_no_empty_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["match", "--title", "Qwxz Vbnm Lkjh"]) == endings.DONE
    shown = capsys.readouterr().out
    assert "not found" in shown
    assert "directors" not in shown
