"""Remedies: every kind of error has one, and what it names exists."""

from __future__ import annotations

import re

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root
from cinegraph_core.cli.remedies import REMEDIES, remedy
from cinegraph_core.errors import ERROR_TYPES
from cinegraph_core.settings import describe_settings
from cinegraph_replica.server import ReplicaServer
from tests.support.fault_server import refusing_url
from tests.support.runs import fault


def test_every_error_type_has_a_remedy() -> None:
    assert set(REMEDIES) == ERROR_TYPES
    assert remedy("a word of tomorrow", "omdb") == remedy("unknown", "omdb")


def test_remedies_name_settings_of_the_service_and_commands_that_exist() -> None:
    settings = {doc.name for doc in describe_settings()}
    for error_type in REMEDIES:
        words = remedy(error_type, "omdb")
        assert {name.replace("__OMDB__", "__<NAME>__") for name in re.findall(r"CINEGRAPH_[A-Z_]+[A-Z]", words)} <= settings
        assert set(re.findall(r"cinegraph (\w+)", words)) <= set(root.NOUNS)


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    for name, value in {"MODE": "real", "SERVICES__TMDB__API_KEY": "x", "SERVICES__TMDB__RETRIES": "0"}.items():
        monkeypatch.setenv(f"CINEGRAPH_{name}", value)


@pytest.mark.usefixtures("real")
def test_a_refused_key_names_the_setting(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with ReplicaServer() as replica:
        monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__BASE_URL", replica.urls["tmdb"])
        fault(replica.origin, "tmdb", "401")
        assert root.run(["match", "--title", "Maria"]) == endings.FAILED
    assert "check CINEGRAPH_SERVICES__TMDB__API_KEY" in capsys.readouterr().err


@pytest.mark.usefixtures("real")
def test_a_network_that_fails_names_the_probe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEGRAPH_SERVICES__TMDB__BASE_URL", refusing_url())
    assert root.run(["match", "--title", "Maria"]) == endings.FAILED
    assert "cinegraph doctor --probe" in capsys.readouterr().err
