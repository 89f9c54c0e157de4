"""Tables in a pipe: what one greps for stands in one piece, unless COLUMNS says how wide they may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.cli.tables import print_table
from cinegraph_core.settings import ServiceSettings, load_settings
from tests.support.cli import document


def test_every_name_of_a_setting_can_be_found_with_grep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEGRAPH_SERVICES__IMDB_GRAPHQL__PRICE_PER_MILLION_OUTPUT_TOKENS_USD", "1")
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__BASE_URL", "https://" + "a" * 60 + ".example/tmdb/3")
    assert root.run(["config", "show"]) == endings.DONE
    shown = capsys.readouterr().out
    assert set(load_settings().origins) <= {line.split()[0] for line in shown.splitlines() if line.strip()}
    assert "services.tmdb.base_url = https://" + "a" * 60 + ".example/tmdb/3  (environment)" in shown.splitlines()
    assert "disable_plugins = –  (default)" in shown.splitlines()


@pytest.mark.parametrize("columns", [None, "nonsense", "0"])
def test_nothing_in_a_pipe_is_folded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str | None
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    print_table("Long", ("words", "letters"), [["two words " * 50, "x" * 500]])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "two words " * 50 + "   " + "x" * 500 in lines


@pytest.mark.parametrize("columns", ["40", "200"])
def test_a_table_in_a_pipe_is_as_wide_as_columns_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    print_table("Long", ("words",), [["x" * 500]])
    assert max(map(len, capsys.readouterr().out.splitlines())) == int(columns)


def test_a_setting_of_a_service_without_a_value_stands_in_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = {row["name"]: row for row in document(capsys, "config", "show")["settings"]}
    for field in ServiceSettings.model_fields:
        assert f"services.venice.{field}" in rows
    assert rows["services.venice.daily_quota"] == {"name": "services.venice.daily_quota", "value": None, "origin": "default"}
    assert rows["services.venice.timeout"]["origin"] == "service's default"
    assert root.run(["config", "show"]) == endings.DONE
    captured = capsys.readouterr()
    assert "services.venice.daily_quota" not in captured.out
    assert "--json names them too" in captured.err


def test_figures_stay_whole_while_words_can_give_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    row = ["a_long_name_of_a_service", "100.0%", "healthy"]
    print_table("Calls", ("source", "share", "status"), [row], right=("share",), whole=("status",))
    shown = capsys.readouterr().out
    assert "100.0%" in shown
    assert "healthy" in shown
