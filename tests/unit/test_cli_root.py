"""The command as such: it starts fast, names what it does not know, and ends with the right code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.errors import AuthError, LayoutChangedError, NetworkError, SettingsError, UsageError


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom cinegraph_core.cli import root\nroot.run(['--help'])\n"
        "heavy = {'scrapy', 'sqlmodel', 'sqlalchemy', 'httpx', 'pydantic', 'rich', 'pluggy', 'alembic'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for noun in root.NOUNS:
        assert f"  {noun}" in done.stdout


@pytest.mark.parametrize("noun", sorted(root.NOUNS))
def test_every_noun_has_help(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run([noun, "--help"]) == endings.DONE
    told = capsys.readouterr().out
    assert f"Usage: cinegraph {noun}" in told
    assert "\\b" not in told, "click's mark for lines that stay as they are is printed"


def test_an_unknown_noun_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["plugin"]) == endings.WRONG_USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Did you mean 'plugins'?" in captured.err


def test_an_unknown_noun_without_a_neighbour_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["zzz"]) == endings.WRONG_USAGE
    assert "crawl, db, doctor" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UsageError("no year 3024"), endings.WRONG_USAGE, "Error: no year 3024\n"),
        (SettingsError("CINEGRAPH_MOED: mode?"), endings.FAILED, "Error: CINEGRAPH_MOED: mode?\n"),
        (NetworkError("refused"), endings.FAILED, "Error: refused\n→ check the network"),
        (AuthError("HTTP 401", service="omdb"), endings.FAILED, "Error: HTTP 401\n→ the key is missing, wrong or not allowed"),
        (LayoutChangedError("no card"), endings.FAILED, "Error: no card\n→ the page is built anew"),
        (KeyboardInterrupt(), endings.INTERRUPTED, "interrupted; whatever was done is kept\n"),
        (ZeroDivisionError("of ours"), endings.FAILED, "Unexpected error: ZeroDivisionError: of ours"),
    ],
)
def test_every_error_is_one_sentence_and_an_exit_code(
    error: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def plugins() -> None:
        raise error

    monkeypatch.setattr("cinegraph_core.cli.plugins.plugins", plugins)
    assert root.run(["plugins"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.lstrip().startswith(told)
    assert "Traceback" not in captured.err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_MOED", "mock")
    assert root.run(["--debug", "config", "show"]) == endings.FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" in captured.err


def test_a_wrong_setting_is_one_sentence_that_names_the_right_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_MOED", "mock")
    assert root.run(["config", "show"]) == endings.FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "CINEGRAPH_MOED" in captured.err
    assert "CINEGRAPH_MODE" in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("arguments", [["config", "show", "--json"], ["plugins"], ["--help"], ["match", "--json"]])
def test_a_reader_that_has_seen_enough_ends_us_quietly(arguments: list[str], tmp_path: Path) -> None:
    source, sink = os.pipe()
    os.close(source)
    done = subprocess.run(
        [sys.executable, "-m", "cinegraph_core.cli", *arguments],
        input='{"id": "a", "title": "Maria"}\n', stdout=sink, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    os.close(sink)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode == 0


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["plugins", "--json"]) == endings.DONE
    plugins = json.loads(capsys.readouterr().out)["plugins"]
    assert {"venice", "imdb", "tmdb", "sql", "replica"} <= {plugin["name"] for plugin in plugins}
    assert all(set(plugin) == {"name", "version", "distribution", "kinds", "status", "reason"} for plugin in plugins)


def test_a_blocked_plugin_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_DISABLE_PLUGINS", "omdb")
    assert root.run(["plugins"]) == endings.DONE
    assert "omdb is blocked: blocked by CINEGRAPH_DISABLE_PLUGINS" in capsys.readouterr().out


def test_config_show_tells_origins_and_masks_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cinegraph.toml").write_text("retention_days = 30\n")
    monkeypatch.setenv("TMDB_API_KEY", "canary-0451")
    monkeypatch.setenv("CINEGRAPH_DATABASE_URL", "postgresql+psycopg://anna:canary-0452@db/films")
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        assert root.run(arguments) == endings.DONE
        captured = capsys.readouterr()
        assert "canary" not in captured.out + captured.err
    rows = {row["name"]: (row["value"], row["origin"]) for row in json.loads(captured.out)["settings"]}
    assert rows["retention_days"] == (30, "cinegraph.toml")
    assert rows["mode"] == ("real", "default")
    assert rows["services.tmdb.api_key"] == ("********", "environment")
    assert rows["matching.min_confidence"] == (0.5, "default")


def test_every_screen_in_mock_mode_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert root.run(["config", "show"]) == endings.DONE
    captured = capsys.readouterr()
    assert "MOCK data" in captured.err
    assert "MOCK data" in captured.out
