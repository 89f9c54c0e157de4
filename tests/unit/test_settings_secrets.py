"""Keys and passwords in settings appear nowhere, not even where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinegraph_core import SettingsError
from cinegraph_core.settings import mask_password
from tests.support.settings import CANARY, Load, write


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
