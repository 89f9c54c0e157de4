"""Opening the house: settings that contradict each other stop the start, before anything is written."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core import Measurement, MetricsSink, guarded
from cinegraph_core.application import Application
from cinegraph_core.errors import DatabaseError, QuotaExceededError, SettingsError
from cinegraph_core.plugins import load_plugins
from cinegraph_core.settings import load_settings
from cinegraph_core.storage.controls import set_control
from tests.support.crawling import opened
from tests.support.sinks import Paper, call, fail
from tests.support.sql import ask

OURS = Application.__module__


@pytest.mark.parametrize(
    ("mode", "other", "stamp"), [("real", "mock", "live"), ("hybrid", "mock", "live"), ("mock", "real", "mock")]
)
def test_lesson_28_the_run_alone_says_what_its_database_holds(tmp_path: Path, mode: Any, other: Any, stamp: str) -> None:
    url = f"sqlite:///{tmp_path / 'run.db'}"
    settings = load_settings(directory=tmp_path, environ={}, mode=mode, database_url=url, services={"venice": {"mode": other}})
    with Application.open(settings) as application:
        assert (application.services.mode("venice"), application.services.mode("tmdb")) == (other, mode)
        with application.database.transaction() as session:
            set_control(session, "venice", "daily_quota", 1, now=0.0)
    assert ask(url, "select mode from database_stamp") == [(stamp,)]
    other_side = load_settings(directory=tmp_path, environ={}, mode="mock" if stamp == "live" else "real", database_url=url)
    with pytest.raises(DatabaseError, match=f"holds {stamp} data"):
        Application.open(other_side)


def test_what_a_sink_never_took_is_told_once_at_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Picky(Paper):
        def write(self, batch: Sequence[Measurement]) -> None:
            if any(measurement.target_identifier == "bad" for measurement in batch):
                fail()
            super().write(batch)

    picky = Picky()
    sql = load_plugins(strict=True).metrics_sinks()["sql"]
    with opened(tmp_path, MetricsSink("picky", lambda _: picky), sql) as (application, sink):
        for target in ("one", "bad", "two", "bad", "three"):
            application.tracker.record(call(target))
        application.tracker.record(call("four", inserted_at="never"))
        assert application.tracker.flush(10)
    assert (len(picky.targets), len(sink.rows)) == (4, 6)
    errors = application.tracker.sink_errors["picky"]
    assert [message for name, level, message in caplog.record_tuples if name == OURS and level == logging.ERROR] == [
        f"2 measurements never reached the metrics sink picky ({errors} of its writes failed)",
        "1 measurements could not be stored in the database",
    ]


def test_a_service_may_repeat_the_mode_of_the_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'run.db'}"
    settings = load_settings(directory=tmp_path, environ={}, mode="mock", database_url=url, services={"venice": {"mode": "mock"}})
    with Application.open(settings) as application:
        assert application.services.mode("venice") == "mock"


def test_the_settings_of_a_service_that_ones_own_code_brings_count(tmp_path: Path) -> None:
    given: dict[str, Any] = {"own_services": "openai", "services": {"openai": {"daily_quota": 1}}}
    with opened(tmp_path, **given) as (application, _):
        ask_openai = guarded("openai", services=application.services)(lambda: 42)
        assert ask_openai() == 42
        with pytest.raises(QuotaExceededError):
            ask_openai()
    with (
        pytest.raises(SettingsError, match=r"no service 'openai' is installed.* CINEGRAPH_OWN_SERVICES"),
        opened(tmp_path, services=given["services"]),
    ):
        pass
