"""A wrong name or value stops the start and says where it stands."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from cinegraph_core import SettingsError
from cinegraph_core.settings import check_service_names
from tests.support.settings import CANARY, Load, write


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


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("TMDB_APIKEY", "TMDB_API_KEY"),
        ("TMDB_KEY", "TMDB_API_KEY"),
        ("TMBD_API_KEY", "TMDB_API_KEY"),
        ("OMDB_API_KEYS", "OMDB_API_KEY"),
        ("CINGRAPH_MODE", "CINEGRAPH_MODE"),
    ],
)
def test_a_name_that_is_nearly_ours_stops_the_start(
    load: Load, tmp_path: Path, wrong: str, meant: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = rf"no setting {wrong} \(found in the environment\); the nearest is {meant}"
    if meant.startswith("CINEGRAPH_"):
        with pytest.raises(SettingsError, match=told):
            load({wrong: CANARY})
    else:
        load({wrong: CANARY})
        assert re.search(told, caplog.text), "in the environment it may be another program's"
    write(tmp_path, dotenv=f"{wrong}={CANARY}\n")
    with pytest.raises(SettingsError, match=rf"no setting {wrong} \(found in .*\.env\); the nearest is {meant}"):
        load()


@pytest.mark.parametrize("name", ["IMDB_API_KEY", "TVDB_API_KEY", "TMDB_READ_TOKEN", "CINEMA_MODE", "CINEGRAPHER"])
def test_a_name_of_another_program_stops_nothing(load: Load, name: str) -> None:
    assert load({name: "1"}) == load()


@pytest.mark.parametrize(
    ("dotenv", "problem"),
    [
        (f"A=1\n\n\nTMDB_API_KEY {CANARY}\n", "line 4 cannot be read; write NAME=VALUE"),
        ("CINEGRAPH_MODE mock\n", "line 1 cannot be read; write NAME=VALUE"),
        ("# a remark\nTMDB_API_KEY\n", "line 2: TMDB_API_KEY has no value"),
        ("export cinegraph_mode\n", "line 1: cinegraph_mode has no value"),
    ],
)
def test_a_line_of_dotenv_that_says_nothing_stops_the_start(load: Load, tmp_path: Path, dotenv: str, problem: str) -> None:
    write(tmp_path, dotenv=dotenv)
    with pytest.raises(SettingsError, match=rf"\.env, {problem}") as caught:
        load()
    assert CANARY not in str(caught.value)


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


def test_a_service_of_ones_own_code_may_be_set_where_it_is_named(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    own = {"CINEGRAPH_OWN_SERVICES": "openai, shop_example_org", "CINEGRAPH_SERVICES__OPENAI__DAILY_QUOTA": "7"}
    with caplog.at_level(logging.WARNING):
        check_service_names(load(own), known={"tmdb"}, tolerated=set())
    assert not caplog.messages
    settings = load({**own, "CINEGRAPH_SERVICES__OPENIA__DAILY_QUOTA": "7"})
    with pytest.raises(SettingsError, match=r"'openia' is installed; the nearest is openai\. .* in CINEGRAPH_OWN_SERVICES too"):
        check_service_names(settings, known={"tmdb"}, tolerated=set())


@pytest.mark.parametrize("mode", ["mock", "hybrid"])
def test_no_replica_can_stand_in_for_a_service_of_ones_own_code(load: Load, mode: str) -> None:
    settings = load({"CINEGRAPH_OWN_SERVICES": "openai", "CINEGRAPH_SERVICES__OPENAI__MODE": mode})
    with pytest.raises(SettingsError, match=f"CINEGRAPH_SERVICES__OPENAI__MODE={mode}: .* no replica; take the setting out"):
        check_service_names(settings, known={"tmdb"}, tolerated=set())
    real = load({"CINEGRAPH_OWN_SERVICES": "openai", "CINEGRAPH_SERVICES__OPENAI__MODE": "real"})
    check_service_names(real, known={"tmdb"}, tolerated=set())


@pytest.mark.parametrize("name", ["shop.example.org", "OpenAI", "1und1", "shop-example"])
def test_what_cannot_name_a_service_is_no_own_service(load: Load, name: str) -> None:
    with pytest.raises(SettingsError, match=f"CINEGRAPH_OWN_SERVICES=.*{name!r} cannot name a service; .* like shop_example_org"):
        load({"CINEGRAPH_OWN_SERVICES": f"tmdb,{name}"})
