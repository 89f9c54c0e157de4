"""What the tests of settings and of commands stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cinegraph_core.matching.catalogue.engines import ENGINES
from cinegraph_core.records import Mode
from cinegraph_core.settings import Settings, load_settings
from cinegraph_core.storage import Database
from tests.support.settings import Load


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load from this environment, and from what a test wrote to the directory; nothing of the machine."""

    def from_here(environ: dict[str, str] | None = None, **overrides: object) -> Settings:
        return load_settings(directory=tmp_path, environ=environ or {}, **overrides)

    return from_here


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine of the local catalogue."""
    return str(request.param)


@pytest.fixture
def mode() -> Mode:
    """The mode of :func:`database`; a module that wants another has a fixture of this name."""
    return "mock"


@pytest.fixture
def database(database_url: str, mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A prepared database of each kind, which commands find by their settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CINEGRAPH_DATABASE_URL", database_url)
    monkeypatch.setenv("CINEGRAPH_MODE", mode)
    opened = Database(database_url)
    opened.prepare(mode)
    yield opened
    opened.close()
