"""The file of results that an interrupted run leaves and the next one goes on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cinegraph_core.cli.results import Results
from cinegraph_core.errors import UsageError


def test_a_new_file_is_begun(tmp_path: Path) -> None:
    results = Results(tmp_path / "out.jsonl")
    results.write({"id": "a", "title": "Ärger"})
    results.close()
    assert (tmp_path / "out.jsonl").read_text() == '{"id": "a", "title": "Ärger"}\n'


def test_ids_and_broken_lines_of_the_file_are_known(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": "a"}\n{"id": null, "line": 2}\n')
    results = Results(path)
    assert results.has("a")
    assert not results.has("b")
    assert results.has_line(2)
    assert not results.has_line(1)
    results.close()


def test_a_torn_last_line_is_cut_and_its_id_is_not_done(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b", "tit')
    results = Results(path)
    assert not results.has("b")
    results.write({"id": "b"})
    results.close()
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_a_file_that_holds_only_a_torn_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": "a"')
    Results(path).close()
    assert path.read_text() == ""


@pytest.mark.parametrize("content", ["title,year\nLove,1971\n", "no line end", '{"title": "x"}\n', "[1]\n"])
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "films.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"films\.csv"):
        Results(path)
    assert path.read_text() == content
