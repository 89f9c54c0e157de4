"""``cinegraph match``: what a person decided in review is answered from memory, and nothing is stored by asking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core import endings
from cinegraph_core.actions import accept_match
from cinegraph_core.cli import root
from cinegraph_core.records import Film
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import store_edition
from cinegraph_core.testing import FakeClock
from tests.support.dump import natural_dump
from tests.support.editions import ALIASES, NOW, edition, nomination

URL = "sqlite:///cinegraph-mock.db"
ASKED = ("match", "--json", "--title", "Queer", "--year", "2024", "--festival", "venice", "--edition", "2024", "--explain")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEGRAPH_MODE", "mock")
    return tmp_path


def _found(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    assert root.run([*ASKED, *more]) == endings.DONE
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_persons_word_is_not_asked_again_and_overrules(capsys: pytest.CaptureFixture[str]) -> None:
    assert _found(capsys)["api_calls"] > 0
    database = Database(URL)
    database.prepare("mock")
    film = nomination("1", films=[Film("Queer", year=2024)], provenance="mock")
    with database.transaction() as session:
        store_edition(session, edition(film), aliases=ALIASES, now=NOW)
    accept_match(database, 1, 4242, clock=FakeClock(), who="ann")
    database.close()
    before = natural_dump(URL)

    found = _found(capsys)
    assert (found["status"], found["tmdb_id"], found["api_calls"], found["provenance"]) == ("matched", 4242, 0, "mock")
    assert (found["level"], found["strategy"], found["explain"]["levels"]) == (None, None, [])
    assert _found(capsys, "--director", "Luca Guadagnino")["tmdb_id"] != 4242
    assert natural_dump(URL) == before
