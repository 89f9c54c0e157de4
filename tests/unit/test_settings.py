"""Settings: one name, three places, the later wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinegraph_core.settings import ServiceSettings, Settings, describe_settings, load_settings
from tests.support.settings import CANARY, Load, write


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
    write(tmp_path, dotenv="CINEGRAPH_RETENTION_DAYS=30\nCINEGRAPH_CONTACT=\n")
    settings = load({"TMDB_API_KEY": " ", "CINEGRAPH_RETENTION_DAYS": "", "CINEGRAPH_MODE": ""})
    assert (settings.mode, settings.retention_days, settings.contact) == ("mock", 30, None)


@pytest.mark.parametrize("value", ["'a, b,'", '["a", "b"]'])
def test_plugins_are_disabled_by_a_list_with_commas(load: Load, tmp_path: Path, value: str) -> None:
    write(tmp_path, toml=f"disable_plugins = {value}\n")
    assert load().disable_plugins == {"a", "b"}


def test_names_of_other_programs_are_none_of_our_business(load: Load, tmp_path: Path) -> None:
    write(tmp_path, dotenv="DJANGO_SETTINGS_MODULE=x\nexport PATH=/bin\n")
    assert load({"CINEGRAPHER": "1", "HOME": "/"}) == load()


def test_limits_and_cache_of_a_service_are_read(load: Load) -> None:
    given = {"CACHE_TTL": "60", "DAILY_QUOTA": "1000", "HOURLY_QUOTA": "0", "DAILY_BUDGET_USD": "0.5", "TIME_ZONE": "Europe/Rome"}
    tmdb = load({f"CINEGRAPH_SERVICES__TMDB__{key}": value for key, value in given.items()}).service("tmdb")
    assert (tmdb.cache_ttl, tmdb.daily_quota, tmdb.hourly_quota) == (60.0, 1000, 0)
    assert (tmdb.daily_budget_usd, tmdb.time_zone) == (0.5, "Europe/Rome")


def test_no_cache_may_be_said_aloud_and_seconds_may_have_decimals(load: Load) -> None:
    tmdb = load({f"CINEGRAPH_SERVICES__TMDB__{key}": value for key, value in (("CACHE_TTL", "0"), ("TIMEOUT", "0.25"))}).service(
        "tmdb"
    )
    assert (tmdb.cache_ttl, tmdb.timeout) == (0.0, 0.25)
    assert load({"CINEGRAPH_SERVICES__TMDB__RATE_PER_SECOND": "0"}).service("tmdb").rate_per_second == 0.0


def test_settings_are_frozen_and_read_nothing_by_themselves(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        load().retention_days = 1
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
