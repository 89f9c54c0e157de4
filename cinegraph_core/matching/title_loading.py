"""Makes the local catalogue from TMDb's daily list of film ids (``movie_ids_MM_DD_YYYY.json.gz``, one JSON object a line).

The new file is made beside the old one and takes its place when it is whole: whatever goes wrong, the old one stays.
"""

from __future__ import annotations

import gzip
import io
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec

from cinegraph_core.errors import UsageError
from cinegraph_core.matching.title_index import About, fingerprint, key_of

STEP = 10_000
"""After so many lines progress is reported."""
_GZIP = b"\x1f\x8b"
_WANTED = "wanted is TMDb's list of film ids, movie_ids_MM_DD_YYYY.json.gz"
_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -200000;
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE films (id INTEGER PRIMARY KEY, key TEXT NOT NULL, title TEXT NOT NULL, popularity REAL NOT NULL);
"""
# detail=none would rank wrongly without a word; the default, full, is meant. Rows in the order of their ids go in four times
# as fast as in the order of the index.
_INDEXES = """
    CREATE INDEX films_by_key ON films (key);
    CREATE VIRTUAL TABLE trigrams USING fts5 (key, content='', columnsize=0, tokenize='trigram');
    INSERT INTO trigrams (rowid, key) SELECT id, key FROM films ORDER BY id;
    INSERT INTO trigrams (trigrams) VALUES ('optimize');
    CREATE TABLE gram_counts (gram TEXT PRIMARY KEY, films INTEGER NOT NULL) WITHOUT ROWID;
    CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, trigrams, row);
    INSERT INTO gram_counts SELECT term, doc FROM temp.vocabulary;
    DROP TABLE temp.vocabulary;
"""


class _Listed(msgspec.Struct):
    """A line of the list; films that are not for everybody are left out, as TMDb's search leaves them out."""

    id: int
    original_title: str
    popularity: float = 0.0
    adult: bool = False


def load_catalogue(
    source: Path | bytes, name: str, target: Path, *, now: float, advance: Callable[[], None] = lambda: None
) -> About:
    """Make the catalogue ``target`` from a file, or from the bytes of one, gzipped or not; returns what it then holds.

    ``name`` is what it is said to come from, ``now`` epoch seconds; ``advance`` is called every :data:`STEP` lines. Raises
    :class:`UsageError` that names the line for a list that is torn or of another kind, and leaves an older catalogue alone.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as made:
        with closing(sqlite3.connect(made, isolation_level=None)) as connection:
            connection.executescript(_SCHEMA)
            with _lines(source) as lines:
                connection.execute("BEGIN")
                rows = _rows(lines, name, advance)
                connection.executemany("INSERT OR REPLACE INTO films (id, key, title, popularity) VALUES (?, ?, ?, ?)", rows)
            films = connection.execute("SELECT count(*) FROM films").fetchone()[0]
            if films == 0:
                raise UsageError(f"{name} lists no film; {_WANTED}")
            about = About(films, name, datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"), fingerprint())
            facts = {field: str(getattr(about, field)) for field in About.__slots__}
            connection.executemany("INSERT INTO about VALUES (?, ?)", facts.items())
            connection.execute("COMMIT")
            connection.executescript(_INDEXES)
        made.replace(target)
    return about


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a new file in the folder of ``target``; what is left of it at the end is removed."""
    made = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def _lines(source: Path | bytes) -> Iterator[Iterable[bytes]]:
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as raw:
        zipped = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        if not zipped:
            yield raw
            return
        with gzip.open(raw) as unzipped:
            yield unzipped


def _rows(lines: Iterable[bytes], name: str, advance: Callable[[], None]) -> Iterator[tuple[int, str, str, float]]:
    decode = msgspec.json.Decoder(_Listed).decode
    number = 0
    try:
        for number, line in enumerate(lines, start=1):
            if number % STEP == 0:
                advance()
            if not line.strip():
                continue
            film = decode(line)
            if not film.adult and (key := key_of(film.original_title)):
                yield film.id, key, film.original_title, film.popularity
    except msgspec.DecodeError as error:
        raise UsageError(f"{name}, line {number}: this is no film ({error}); {_WANTED}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{name} is torn after line {number} ({error}); download it again") from error
