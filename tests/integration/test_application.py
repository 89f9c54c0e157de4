"""Opening the house: settings that contradict each other stop the start, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.application import Application
from cinegraph_core.errors import SettingsError
from cinegraph_core.settings import load_settings


@pytest.mark.parametrize(("mode", "other"), [("real", "mock"), ("mock", "real")])
def test_lesson_28_one_run_is_not_half_mock_and_half_real(tmp_path: Path, mode: Any, other: Any) -> None:
    url = f"sqlite:///{tmp_path / 'run.db'}"
    settings = load_settings(directory=tmp_path, environ={}, mode=mode, database_url=url, services={"venice": {"mode": other}})
    with pytest.raises(SettingsError, match=f"CINEGRAPH_SERVICES__VENICE__MODE={other}.*CINEGRAPH_MODE={mode}"):
        Application.open(settings)
    assert not (tmp_path / "run.db").exists()


def test_a_service_may_repeat_the_mode_of_the_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'run.db'}"
    settings = load_settings(directory=tmp_path, environ={}, mode="mock", database_url=url, services={"venice": {"mode": "mock"}})
    with Application.open(settings) as application:
        assert application.services.mode("venice") == "mock"
