"""Makes the local catalogue from TMDb's daily list of film ids (``movie_ids_MM_DD_YYYY.json.gz``, one JSON object a line).

The new catalogue is made beside the old one and takes its place when it is whole: whatever goes wrong, the old one stays. The
file is renamed over the old one and names the folder of its engine, so that one step exchanges both.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from cinegraph_core.errors import UsageError
from cinegraph_core.matching.catalogue.engines import DEFAULT_ENGINE, engine_named
from cinegraph_core.matching.catalogue.export import WANTED, films_listed
from cinegraph_core.matching.catalogue.file import About, fingerprint, read_about

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -200000;
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE films (id INTEGER PRIMARY KEY, key TEXT NOT NULL, title TEXT NOT NULL, popularity REAL NOT NULL);
"""


def load_catalogue(
    source: Path | bytes,
    name: str,
    target: Path,
    *,
    now: float,
    engine: str = DEFAULT_ENGINE,
    advance: Callable[[], None] = lambda: None,
) -> About:
    """Make the catalogue ``target`` from a file, or from the bytes of one, gzipped or not; returns what it then holds.

    ``name`` is what it is said to come from, ``now`` epoch seconds; ``advance`` is called every
    :data:`~cinegraph_core.matching.catalogue.export.STEP` lines. Raises :class:`UsageError` that names the line for a list
    that is torn or of another kind, :class:`ConfigurationError` for an engine that is not installed, and then leaves an
    older catalogue alone.
    """
    write = engine_named(engine).write
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as (file, folder):
        with closing(sqlite3.connect(file, isolation_level=None)) as catalogue:
            films = _fill(catalogue, films_listed(source, name, advance))
            if films == 0:
                raise UsageError(f"{name} lists no film; {WANTED}")
            write(catalogue, folder)
            loaded_at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
            about = About(films, name, loaded_at, engine, folder.name if folder.exists() else "", fingerprint())
            catalogue.executemany(
                "INSERT INTO about VALUES (?, ?)", ((field, str(value)) for field, value in asdict(about).items())
            )
        _replace(target, file)
    return about


def _fill(catalogue: sqlite3.Connection, films: Iterable[tuple[int, str, str, float]]) -> int:
    """Write the films, the last one where several have one id; return how many there are."""
    catalogue.executescript(_SCHEMA)
    catalogue.execute("BEGIN")
    catalogue.executemany("INSERT OR REPLACE INTO films (id, key, title, popularity) VALUES (?, ?, ?, ?)", films)
    catalogue.execute("COMMIT")
    catalogue.execute("CREATE INDEX films_by_key ON films (key)")
    count: int = catalogue.execute("SELECT count(*) FROM films").fetchone()[0]
    return count


@contextmanager
def _beside(target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a new file and a new folder next to ``target``; both are removed at the end unless the file took its place."""
    token = uuid4().hex
    file, folder = target.with_name(f".{target.name}.{token}"), target.with_name(f"{target.name}.{token}")
    try:
        yield file, folder
    finally:
        if file.exists():
            file.unlink()
            shutil.rmtree(folder, ignore_errors=True)


def _replace(target: Path, file: Path) -> None:
    """Put the file in the place of the target, and remove the folder that only the old one used."""
    folder = ""
    with suppress(sqlite3.Error):
        folder = read_about(target).folder
    file.replace(target)
    # A process that has the old one open keeps it: what is mapped into memory outlives its name. A copy made elsewhere names
    # the folder of its original, which is not ours to remove.
    if folder.startswith(f"{target.name}.") and "/" not in folder:
        shutil.rmtree(target.parent / folder, ignore_errors=True)
