"""Tables in a pipe: as wide as COLUMNS says, and what one greps for stands in one piece."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.cli.tables import print_table
from cinegraph_core.settings import load_settings


def test_every_name_of_a_setting_can_be_found_with_grep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEGRAPH_SERVICES__IMDB_GRAPHQL__PRICE_PER_MILLION_OUTPUT_TOKENS_USD", "1")
    assert root.run(["config", "show"]) == endings.DONE
    shown = capsys.readouterr().out
    assert set(load_settings().origins) <= {line.split()[0] for line in shown.splitlines() if line.strip()}


@pytest.mark.parametrize(("columns", "width"), [(None, 80), ("nonsense", 80), ("0", 80), ("40", 40), ("200", 200)])
def test_a_table_in_a_pipe_is_as_wide_as_columns_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str | None, width: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    print_table("Long", ("words",), [["x" * 500]])
    assert max(map(len, capsys.readouterr().out.splitlines())) == width


def test_figures_stay_whole_while_words_can_give_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    row = ["a_long_name_of_a_service", "100.0%", "healthy"]
    print_table("Calls", ("source", "share", "status"), [row], right=("share",), whole=("status",))
    shown = capsys.readouterr().out
    assert "100.0%" in shown
    assert "healthy" in shown
