"""Settings: one name, three places, the later wins; a wrong name or value stops the start and says where it stands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from cinegraph_core import SettingsError
from cinegraph_core.settings import (
    ServiceSettings,
    Settings,
    check_service_names,
    describe_settings,
    load_settings,
    mask_password,
)

CANARY = "canary-key-3f9a"
Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load from this environment, and from what a test wrote to the directory; nothing of the machine."""

    def from_here(environ: dict[str, str] | None = None, **overrides: object) -> Settings:
        return load_settings(directory=tmp_path, environ=environ or {}, **overrides)

    return from_here


def write(directory: Path, *, toml: str | None = None, dotenv: str | None = None) -> None:
    if toml is not None:
        (directory / "cinegraph.toml").write_text(toml, encoding="utf-8")
    if dotenv is not None:
        (directory / ".env").write_text(dotenv, encoding="utf-8")


def test_with_nothing_set_the_defaults_count(load: Load) -> None:
    settings = load()
    assert (settings.mode, settings.database_url, settings.retention_days) == ("mock", "sqlite:///cinegraph-mock.db", 90)
    assert settings.matching.max_fallback_level == 6
    assert settings.matching.min_confidence == 0.5
    assert settings.disable_plugins == frozenset()
    assert settings.service("tmdb") == ServiceSettings()
    assert set(settings.origins.values()) == {"default"}


def test_the_later_place_wins_and_the_origin_says_which(load: Load, tmp_path: Path) -> None:
    write(
        tmp_path,
        toml='contact = "toml"\nretention_days = 1\n[services.tmdb]\ntimeout = 1\nretries = 1\ndelay = 1\n',
        dotenv="CINEGRAPH_RETENTION_DAYS=2\nCINEGRAPH_SERVICES__TMDB__RETRIES=2\nCINEGRAPH_SERVICES__TMDB__DELAY=2\n",
    )
    settings = load({"CINEGRAPH_SERVICES__TMDB__DELAY": "3"}, log_level="ERROR")
    tmdb = settings.service("tmdb")
    assert (settings.contact, settings.retention_days, tmdb.timeout, tmdb.retries, tmdb.delay) == ("toml", 2, 1.0, 2, 3.0)
    expected = {
        "contact": "cinegraph.toml",
        "retention_days": ".env",
        "services.tmdb.timeout": "cinegraph.toml",
        "services.tmdb.retries": ".env",
        "services.tmdb.delay": "environment",
        "log_level": "override",
        "mode": "default",
    }
    assert {name: settings.origins[name] for name in expected} == expected


def test_every_setting_has_the_same_name_in_all_three_places(load: Load, tmp_path: Path) -> None:
    values = {
        "CINEGRAPH_MODE": "real",
        "CINEGRAPH_MATCHING__MIN_CONFIDENCE": "0.7",
        "CINEGRAPH_SERVICES__IMDB_GRAPHQL__BASE_URL": "http://127.0.0.1:1/imdb_graphql/",
    }
    from_environment = load(values)
    write(tmp_path, dotenv="".join(f"{name}={value}\n" for name, value in values.items()))
    from_dotenv = load()
    (tmp_path / ".env").unlink()
    write(tmp_path, toml="".join(f'{name} = "{value}"\n' for name, value in values.items()))
    assert from_environment.model_dump() == from_dotenv.model_dump() == load().model_dump()
    assert from_environment.service("imdb_graphql").base_url == "http://127.0.0.1:1/imdb_graphql"


@pytest.mark.parametrize("name", ["CINEGRAPH_SERVICES__TMDB__API_KEY", "TMDB_API_KEY"])
def test_a_tmdb_key_means_real_mode_and_the_live_database(load: Load, name: str) -> None:
    settings = load({name: CANARY})
    assert (settings.mode, settings.database_url) == ("real", "sqlite:///cinegraph.db")
    key = settings.service("tmdb").api_key
    assert key is not None
    assert key.get_secret_value() == CANARY
    assert load({name: CANARY, "CINEGRAPH_MODE": "mock"}).database_url == "sqlite:///cinegraph-mock.db"


def test_other_programs_key_names_yield_to_ours_of_the_same_place_only(load: Load, tmp_path: Path) -> None:
    def key(settings: Settings, service: str = "tmdb") -> str:
        found = settings.service(service).api_key
        assert found is not None
        return found.get_secret_value()

    assert key(load({"CINEGRAPH_SERVICES__TMDB__API_KEY": "ours", "TMDB_API_KEY": "theirs"})) == "ours"
    assert key(load({"OMDB_API_KEY": "omdb"}), "omdb") == "omdb"
    write(tmp_path, dotenv="CINEGRAPH_SERVICES__TMDB__API_KEY=file\n")
    assert key(load({"TMDB_API_KEY": "environment"})) == "environment"


def test_an_empty_value_counts_as_not_set(load: Load, tmp_path: Path) -> None:
    write(tmp_path, dotenv="CINEGRAPH_RETENTION_DAYS=30\nCINEGRAPH_CONTACT\n")
    settings = load({"TMDB_API_KEY": " ", "CINEGRAPH_RETENTION_DAYS": "", "CINEGRAPH_MODE": ""})
    assert (settings.mode, settings.retention_days, settings.contact) == ("mock", 30, None)


@pytest.mark.parametrize("value", ["'a, b,'", '["a", "b"]'])
def test_plugins_are_disabled_by_a_list_with_commas(load: Load, tmp_path: Path, value: str) -> None:
    write(tmp_path, toml=f"disable_plugins = {value}\n")
    assert load().disable_plugins == {"a", "b"}


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


def test_names_of_other_programs_are_none_of_our_business(load: Load, tmp_path: Path) -> None:
    write(tmp_path, dotenv="DJANGO_SETTINGS_MODULE=x\nexport PATH=/bin\n")
    assert load({"CINEGRAPHER": "1", "HOME": "/"}) == load()


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CINEGRAPH_MODE", "hybrid"),
        ("CINEGRAPH_SERVICES__TMDB__MODE", "hybrid"),
    ],
)
def test_what_this_version_cannot_keep_is_refused_instead_of_ignored(load: Load, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name}={value} .*this version"):
        load({name: value})


def test_limits_and_cache_of_a_service_are_read(load: Load) -> None:
    given = {"CACHE_TTL": "60", "DAILY_QUOTA": "1000", "HOURLY_QUOTA": "0", "DAILY_BUDGET_USD": "0.5", "TIME_ZONE": "Europe/Rome"}
    tmdb = load({f"CINEGRAPH_SERVICES__TMDB__{key}": value for key, value in given.items()}).service("tmdb")
    assert (tmdb.cache_ttl, tmdb.daily_quota, tmdb.hourly_quota) == (60.0, 1000, 0)
    assert (tmdb.daily_budget_usd, tmdb.time_zone) == (0.5, "Europe/Rome")


@pytest.mark.parametrize(("key", "value"), [("DAILY_QUOTA", "-1"), ("DAILY_BUDGET_USD", "-0.5"), ("TIME_ZONE", "Europe/Rom")])
def test_a_limit_that_makes_no_sense_is_refused(load: Load, key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"CINEGRAPH_SERVICES__TMDB__{key}={value}"):
        load({f"CINEGRAPH_SERVICES__TMDB__{key}": value})


def test_no_cache_may_be_said_aloud_and_seconds_may_have_decimals(load: Load) -> None:
    tmdb = load({f"CINEGRAPH_SERVICES__TMDB__{key}": value for key, value in (("CACHE_TTL", "0"), ("TIMEOUT", "0.25"))}).service(
        "tmdb"
    )
    assert (tmdb.cache_ttl, tmdb.timeout) == (0.0, 0.25)
    assert load({"CINEGRAPH_SERVICES__TMDB__RATE_PER_SECOND": "0"}).service("tmdb").rate_per_second == 0.0


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


def test_keys_and_passwords_appear_nowhere(load: Load, tmp_path: Path) -> None:
    address = f"postgresql+psycopg://me:{CANARY}@db.example/films"
    settings = load({"TMDB_API_KEY": CANARY, "CINEGRAPH_DATABASE_URL": address})
    assert settings.masked_database_url == "postgresql+psycopg://me:***@db.example/films"
    assert CANARY not in repr(settings) + str(settings) + repr(settings.origins)
    assert CANARY not in settings.model_dump_json(exclude={"database_url"})
    assert CANARY not in str(settings.model_dump(exclude={"database_url"}))
    write(tmp_path, toml=f'[services.tmdb]\napi_key = ["{CANARY}"]\n')
    with pytest.raises(SettingsError) as caught:
        load(
            {"CINEGRAPH_DATABASE_URL": address.replace("+psycopg", ""), "CINEGRAPH_SERVICES__X__BASE_URL": f"http://u:{CANARY}@h"}
        )
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg://me:{}@db.example/films", "postgresql+psycopg://me:***@db.example/films"),
        ("postgresql+psycopg://me:/{}@db.example/films", "postgresql+psycopg://me:***@db.example/films"),
        ("postgresql+psycopg://me:a@b:{}@db.example:5432/films", "postgresql+psycopg://me:***@db.example:5432/films"),
        ("postgresql+psycopg://me:a?{}#@db.example/films", "postgresql+psycopg://me:***@db.example/films"),
        ("postgresql+psycopg://me:{}\n@db.example/films", "postgresql+psycopg://me:***@db.example/films"),
        ("postgresql+psycopg://:{}@db.example/films", "postgresql+psycopg://:***@db.example/films"),
        ("postgresql+psycopg:///films?user=me&password={}", "postgresql+psycopg:///films?user=***&password=***"),
        ("postgresql+psycopg://db.example/films?{}", "postgresql+psycopg://db.example/films?***"),
        ("postgresql+psycopg://db.example/films", "postgresql+psycopg://db.example/films"),
        ("sqlite:///a@b&c.db", "sqlite:///a@b&c.db"),
        ("sqlite:////home/me/films.db", "sqlite:////home/me/films.db"),
    ],
)
def test_a_password_of_any_shape_is_masked(address: str, shown: str) -> None:
    assert mask_password(address.format(CANARY)) == shown


def test_an_unquoted_at_sign_in_a_password_is_refused_with_the_remedy(load: Load) -> None:
    with pytest.raises(SettingsError, match="%40") as caught:
        load({"CINEGRAPH_DATABASE_URL": f"postgresql+psycopg://me:a@{CANARY}@db.example/films"})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://h/3?api_key={}",
        "https://h/3?{}",
        "https://h/3#{}",
        "https://{}@h/3",
        "https://:{}@h/3",
        "https://u:{}@h/3",
        "u:{}@h/3?k={}",
        "https://h/3?a=1;api_key={}&b=2",
    ],
)
def test_a_wrong_address_of_a_service_is_named_without_its_secrets(load: Load, address: str) -> None:
    with pytest.raises(SettingsError, match="CINEGRAPH_SERVICES__TMDB__BASE_URL=") as caught:
        load({"CINEGRAPH_SERVICES__TMDB__BASE_URL": address.replace("{}", CANARY)})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("scheme", ["mysql", "postgres", "postgresql"])
def test_a_wrong_database_address_is_named_without_its_password(load: Load, scheme: str) -> None:
    for rest in (
        f"://me:{CANARY}@db/films",
        f"://me:/{CANARY}@db/films",
        f":/me:{CANARY}@db/films",
        f"://db/films?password={CANARY}",
    ):
        with pytest.raises(SettingsError, match="CINEGRAPH_DATABASE_URL=") as caught:
            load({"CINEGRAPH_DATABASE_URL": scheme + rest})
        assert CANARY not in str(caught.value)


def test_settings_are_frozen_and_read_nothing_by_themselves(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        load().retention_days = 1  # type: ignore[misc]
    monkeypatch.setenv("RETENTION_DAYS", "1")
    assert Settings().retention_days == 90


def test_the_process_environment_and_the_current_directory_are_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, toml='contact = "here"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEGRAPH_RETENTION_DAYS", "7")
    settings = load_settings()
    assert (settings.contact, settings.retention_days) == ("here", 7)


def test_overrides_nest_and_none_leaves_a_setting_alone(load: Load) -> None:
    settings = load(
        {"CINEGRAPH_RETENTION_DAYS": "7"}, services={"tmdb": {"timeout": 1}}, matching__margin=0.1, retention_days=None
    )
    assert (settings.service("tmdb").timeout, settings.matching.margin, settings.retention_days) == (1.0, 0.1, 7)


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


def test_every_setting_is_described_in_one_sentence() -> None:
    docs = {doc.name: doc for doc in describe_settings()}
    for name, doc in docs.items():
        assert doc.description.endswith("."), name
    assert docs["CINEGRAPH_RETENTION_DAYS"].default == "90"
    assert docs["CINEGRAPH_MODE"].default == "real where a TMDb key is set, else mock"


def test_every_setting_of_the_contract_exists(shared: Path) -> None:
    import re

    text = (shared / "contract.md").read_text(encoding="utf-8")
    text = text[text.index("## Settings") : text.index("## Operations")]
    docs = {doc.name for doc in describe_settings()}
    named = set(re.findall(r"CINEGRAPH_[A-Z_]+[A-Z]", text)) - {"CINEGRAPH_MOED"}
    assert {name.replace("__TMDB__", "__<NAME>__") for name in named if name != "CINEGRAPH_SERVICES"} <= docs
    listed = re.search(r"<NAME>__(.*?)seconds", text, re.DOTALL)
    assert listed is not None
    keys = set(re.findall(r"[A-Z_]{4,}", listed.group(1)))
    assert len(keys) > 10
    assert {f"CINEGRAPH_SERVICES__<NAME>__{key}" for key in keys} <= docs
