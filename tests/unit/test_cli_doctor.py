"""The doctor: every fault is a finding with a remedy, and a check that cannot tell is an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import checks, root
from cinegraph_core.storage import Database
from cinegraph_core.storage.state import record_transition


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _findings(capsys: pytest.CaptureFixture[str], *, code: int, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    assert root.run(["doctor", "--json", *options]) == code
    findings: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return findings


def _of(findings: list[dict[str, Any]], check: str, status: str) -> list[str]:
    return [f"{one['message']} → {one['remedy']}" for one in findings if (one["check"], one["status"]) == (check, status)]


def test_a_fresh_machine_is_well_and_nothing_is_created(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    findings = _findings(capsys, code=endings.DONE)
    assert not [one for one in findings if one["status"] == "error"]
    assert "does not exist yet" in _of(findings, "database", "ok")[0]
    assert "MOCK" in _of(findings, "settings", "ok")[0]
    assert list(folder.iterdir()) == []


def test_a_wrong_setting_is_a_finding_not_an_end(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_MOED", "mock")
    assert "CINEGRAPH_MODE" in _of(_findings(capsys, code=endings.FAILED), "settings", "error")[0]


def test_an_unknown_service_is_a_finding(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMBD__RETRIES", "1")
    assert "tmbd" in _of(_findings(capsys, code=endings.FAILED), "settings", "error")[0]


def test_a_service_whose_plugin_is_to_come_is_no_fault_anywhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__CANNES__DELAY", "2")
    assert "'cannes'" in _of(_findings(capsys, code=endings.DONE), "settings", "warning")[0]
    assert root.run(["config", "show"]) == endings.DONE
    assert root.run(["match", "--title", "Poor Things", "--year", "2023"]) == endings.DONE
    told = capsys.readouterr()
    assert "services.cannes.delay" in told.out
    assert told.err.count("without its plugin the setting has no effect") == 2


def test_a_service_of_ones_own_code_is_no_finding(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_OWN_SERVICES", "openai")
    monkeypatch.setenv("CINEGRAPH_SERVICES__OPENAI__DAILY_QUOTA", "7")
    assert not _of(_findings(capsys, code=endings.DONE), "settings", "warning")
    assert root.run(["config", "show"]) == endings.DONE
    assert "services.openai.daily_quota" in capsys.readouterr().out


def test_blocked_plugins_and_what_goes_with_them_are_findings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_DISABLE_PLUGINS", "replica,sql,nobody")
    findings = _findings(capsys, code=endings.FAILED)
    assert len(_of(findings, "plugins", "warning")) == 3
    assert "CINEGRAPH_MODE=real" in _of(findings, "replica", "error")[0]
    assert "not recorded" in _of(findings, "record", "warning")[0]


def test_levels_that_all_are_cut_off_are_an_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_MATCHING__MAX_FALLBACK_LEVEL", "3")
    monkeypatch.setenv("CINEGRAPH_MATCHING__MIN_CONFIDENCE", "1")
    findings = _findings(capsys, code=endings.DONE)
    assert _of(findings, "matching", "ok") == ["levels run: 1 direct_imdb → "]
    monkeypatch.setenv("CINEGRAPH_DISABLE_PLUGINS", "tmdb_direct_imdb")
    assert "none is run" in _of(_findings(capsys, code=endings.FAILED), "matching", "error")[0]


def test_missing_keys_are_told_and_present_ones_are_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEGRAPH_MODE", "real")
    assert len(_of(_findings(capsys, code=endings.FAILED), "keys", "error")) == 2
    monkeypatch.setenv("TMDB_API_KEY", "canary-0453")
    findings = _findings(capsys, code=endings.DONE)
    assert _of(findings, "keys", "ok") == ["tmdb: a key is set → "]
    assert "CINEGRAPH_SERVICES__OMDB__API_KEY" in _of(findings, "keys", "warning")[0]
    assert "canary" not in json.dumps(findings)


def test_databases_that_cannot_be_used_are_findings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("CINEGRAPH_DATABASE_URL", f"sqlite:///{folder / 'absent' / 'films.db'}")
    assert "mkdir -p" in _of(_findings(capsys, code=endings.FAILED), "database", "error")[0]
    monkeypatch.setenv("CINEGRAPH_DATABASE_URL", "sqlite:////proc/films.db")
    assert "can be created in /proc" in _of(_findings(capsys, code=endings.FAILED), "database", "error")[0]
    (folder / "text.db").write_text("this is no database, however long one looks at it" * 30)
    monkeypatch.setenv("CINEGRAPH_DATABASE_URL", f"sqlite:///{folder / 'text.db'}")
    assert _of(_findings(capsys, code=endings.FAILED), "database", "error")
    monkeypatch.setenv("CINEGRAPH_DATABASE_URL", f"sqlite:///{folder / 'old.db'}")
    (folder / "old.db").touch()
    assert "cinegraph db upgrade" in _of(_findings(capsys, code=endings.FAILED), "database", "error")[0]


def test_a_database_of_the_other_mode_is_a_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    url = f"sqlite:///{folder / 'live.db'}"
    database = Database(url)
    database.prepare("live")
    with database.transaction() as session:
        record_transition(session, "tmdb", "open", changed_at=1_700_000_000.0, retry_at=None)
    database.close()
    monkeypatch.setenv("CINEGRAPH_DATABASE_URL", url)
    assert "CINEGRAPH_MODE" in _of(_findings(capsys, code=endings.FAILED), "database", "error")[0]
    monkeypatch.setenv("CINEGRAPH_MODE", "real")
    monkeypatch.setenv("TMDB_API_KEY", "x")
    assert "tmdb: the breaker is open until it is reset" in _of(_findings(capsys, code=endings.DONE), "breakers", "warning")[0]


def test_a_chromium_that_is_none_is_a_finding(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_CHROMIUM", "/no/such/chromium")
    assert "apt-get" in _of(_findings(capsys, code=endings.FAILED), "chromium", "error")[0]
    monkeypatch.delenv("CINEGRAPH_CHROMIUM")
    monkeypatch.setenv("PATH", "")
    assert "CINEGRAPH_CHROMIUM" in _of(_findings(capsys, code=endings.DONE), "chromium", "warning")[0]


def test_lesson_31_a_check_that_breaks_is_an_error_never_silently_fine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("of the check")

    monkeypatch.setitem(checks._CHECKS, "replica", broken)
    findings = _findings(capsys, code=endings.FAILED)
    assert "unknown: the check itself failed (ZeroDivisionError: of the check)" in _of(findings, "replica", "error")[0]
    assert _of(findings, "matching", "ok"), "the checks after it still run"


def test_probing_asks_every_service(capsys: pytest.CaptureFixture[str]) -> None:
    findings = _findings(capsys, code=endings.DONE, options=("--probe",))
    assert {"imdb", "omdb", "tmdb", "venice"} <= {message.split()[0] for message in _of(findings, "services", "ok")}


def test_people_read_marks_and_remedies(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_DISABLE_PLUGINS", "omdb")
    assert root.run(["doctor"]) == endings.DONE
    told = capsys.readouterr().out
    assert "✓ matching" in told
    assert "▲ plugins" in told
    assert "→ remove omdb from CINEGRAPH_DISABLE_PLUGINS" in told
