"""A wrong name or value stops the start and says where it stands."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cinegraph_core import SettingsError
from cinegraph_core.settings import check_service_names
from tests.support.settings import Load, write


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("CINEGRAPH_MOED", "CINEGRAPH_MODE"),
        ("CINEGRAPH_DATABASE", "CINEGRAPH_DATABASE_URL"),
        ("CINEGRAPH_SERVICES__TMDB__TIMOUT", "CINEGRAPH_SERVICES__TMDB__TIMEOUT"),
        ("CINEGRAPH_SERVICE__TMDB__TIMEOUT", "CINEGRAPH_SERVICES__TMDB__TIMEOUT"),
        ("CINEGRAPH_TMDB__API_KEY", "CINEGRAPH_SERVICES__TMDB__API_KEY"),
        ("CINEGRAPH_MATCHING__MINCONFIDENCE", "CINEGRAPH_MATCHING__MIN_CONFIDENCE"),
        ("CINEGRAPH_MATCHING", "CINEGRAPH_MATCHING__MARGIN"),
        ("CINEGRAPH_SERVICES__TMDB", "CINEGRAPH_SERVICES__TMDB__MODE"),
        ("CINEGRAPH_SERVICES__TMDB__TIMEOUT__X", "CINEGRAPH_SERVICES__TMDB__TIMEOUT"),
        ("CINEGRAPH_ORIGINS", "CINEGRAPH_"),
    ],
)
def test_an_unknown_name_stops_the_start_wherever_it_stands(load: Load, tmp_path: Path, wrong: str, nearest: str) -> None:
    with pytest.raises(SettingsError, match=rf"no setting {wrong} \(found in the environment\); the nearest is {nearest}"):
        load({wrong: "1"})
    write(tmp_path, dotenv=f"{wrong}=\n")
    with pytest.raises(SettingsError, match=rf"no setting {wrong} \(found in .*\.env\); the nearest is {nearest}"):
        load()
    (tmp_path / ".env").unlink()
    write(tmp_path, toml=".".join(wrong.removeprefix("CINEGRAPH_").lower().split("__")) + " = 1\n")
    with pytest.raises(SettingsError, match=rf"no setting {wrong} \(found in .*cinegraph\.toml\); the nearest is {nearest}"):
        load()


def test_an_unknown_override_is_refused_too(load: Load) -> None:
    with pytest.raises(SettingsError, match="found in the call"):
        load(mod="real")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("CINEGRAPH_MODE", "moc", "'mock', 'real'"),
        ("CINEGRAPH_RETENTION_DAYS", "ninety", "valid integer"),
        ("CINEGRAPH_RETENTION_DAYS", "0", "greater than or equal to 1"),
        ("CINEGRAPH_SERVICES__TMDB__TIMEOUT", "0", "greater than 0"),
        ("CINEGRAPH_SERVICES__TMDB__TIMEOUT", "nan", "finite"),
        ("CINEGRAPH_SERVICES__TMDB__DEADLINE", "-1", "greater than 0"),
        ("CINEGRAPH_SERVICES__TMDB__RETRIES", "-1", "greater than or equal to 0"),
        ("CINEGRAPH_SERVICES__TMDB__BREAKER_FAILURES", "0", "greater than or equal to 1"),
        ("CINEGRAPH_SERVICES__TMDB__BASE_URL", "localhost:8000", "http://127.0.0.1:8000"),
        ("CINEGRAPH_SERVICES__TMDB__BASE_URL", "http://h/?api_key=1", "without password, query"),
        ("CINEGRAPH_MATCHING__MIN_CONFIDENCE", "1.5", "less than or equal to 1"),
        ("CINEGRAPH_DATABASE_URL", "mysql://h/d", "postgresql\\+psycopg://"),
        ("CINEGRAPH_LOG_LEVEL", "LOUD", "'DEBUG'"),
    ],
)
def test_a_wrong_value_names_setting_place_problem_and_meaning(load: Load, name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=rf"(?s){name}=.* \(from the environment\): .*{problem}.*\. It means: "):
        load({name: value})


@pytest.mark.parametrize(("key", "value"), [("DAILY_QUOTA", "-1"), ("DAILY_BUDGET_USD", "-0.5"), ("TIME_ZONE", "Europe/Rom")])
def test_a_limit_that_makes_no_sense_is_refused(load: Load, key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"CINEGRAPH_SERVICES__TMDB__{key}={value}"):
        load({f"CINEGRAPH_SERVICES__TMDB__{key}": value})


def test_all_wrong_values_are_told_at_once(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"CINEGRAPH_MODE": "x", "CINEGRAPH_RETENTION_DAYS": "y"})
    assert [line.partition("=")[0] for line in str(caught.value).splitlines()] == ["CINEGRAPH_MODE", "CINEGRAPH_RETENTION_DAYS"]


def test_true_is_no_number(load: Load, tmp_path: Path) -> None:
    write(tmp_path, toml="[services.tmdb]\nretries = true\n")
    with pytest.raises(SettingsError, match=r"RETRIES=True \(from .*cinegraph\.toml\): a number is wanted"):
        load()


@pytest.mark.parametrize(("toml", "problem"), [("mode = ", "cinegraph.toml cannot be read"), ("mode = '\xff'", "cannot be read")])
def test_a_file_that_cannot_be_read_stops_the_start(load: Load, tmp_path: Path, toml: str, problem: str) -> None:
    (tmp_path / "cinegraph.toml").write_bytes(toml.encode("latin-1"))
    with pytest.raises(SettingsError, match=problem):
        load()


def test_a_dotenv_that_is_not_utf8_stops_the_start(load: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"CINEGRAPH_CONTACT=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load()


def test_an_unknown_service_is_refused_with_the_nearest_and_its_place(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    settings = load({"CINEGRAPH_SERVICES__TMDBB__TIMEOUT": "1", "CINEGRAPH_SERVICES__IMDB__TIMEOUT": "1"})
    with pytest.raises(
        SettingsError, match=r"CINEGRAPH_SERVICES__TMDBB__TIMEOUT \(environment\): no service 'tmdbb' .* nearest is tmdb"
    ):
        check_service_names(settings, known={"tmdb", "imdb"}, tolerated=set())
    with caplog.at_level(logging.WARNING):
        check_service_names(settings, known={"tmdb", "imdb"}, tolerated={"tmdbb"})
    assert any("'tmdbb'" in message and "no effect" in message for message in caplog.messages)
    check_service_names(settings, known={"tmdbb", "imdb"}, tolerated=set())
