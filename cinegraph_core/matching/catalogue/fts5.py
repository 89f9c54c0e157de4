"""The engine in SQLite itself: FTS5's trigram index, in the catalogue's own file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from cinegraph_core.matching.catalogue.engines import Engine
from cinegraph_core.matching.catalogue.keys import trigrams

_COMPARED = 1000
_POSTINGS = 40_000  # films listed under the trigrams asked for; bounds a search to some 20 ms
_LEAST_TRIGRAMS = 2
# detail=none would save a fifth of the file, but silently ranks any query for more than one trigram wrongly, so the default
# (full) stays. Rows go in four times as fast in the order of their ids as in the order of the index.
_SCHEMA = """
    CREATE VIRTUAL TABLE trigrams USING fts5 (key, content='', columnsize=0, tokenize='trigram');
    INSERT INTO trigrams (rowid, key) SELECT id, key FROM films ORDER BY id;
    INSERT INTO trigrams (trigrams) VALUES ('optimize');
    CREATE TABLE gram_counts (gram TEXT PRIMARY KEY, films INTEGER NOT NULL) WITHOUT ROWID;
    CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, trigrams, row);
    INSERT INTO gram_counts SELECT term, doc FROM temp.vocabulary;
    DROP TABLE temp.vocabulary;
"""


def _write(films: sqlite3.Connection, _folder: Path) -> None:
    films.executescript(_SCHEMA)


class _Fts5:
    """Searches the tables beside the films; every answer comes in one row, as in the index."""

    def sharing(self, key: str, films: sqlite3.Connection) -> Sequence[int]:
        rarest = _rarest(key, films)
        if not rarest:
            return ()
        each = " UNION ALL ".join(
            f"SELECT rowid AS id, {len(rarest) - at} + 100 AS weight FROM trigrams WHERE trigrams MATCH ?"  # noqa: S608 - numbers
            for at in range(len(rarest))
        )
        row = films.execute(
            "SELECT json_group_array(id) FROM ("  # noqa: S608 - as above
            f"SELECT id FROM ({each}) GROUP BY id ORDER BY sum(weight) DESC LIMIT {_COMPARED})",
            [_quoted(gram) for gram in rarest],
        )
        ids: list[int] = json.loads(row.fetchone()[0])
        return ids


def _rarest(key: str, films: sqlite3.Connection) -> list[str]:
    """Return the rarest trigrams that any film has, as many as can be asked for at a bounded cost."""
    counted = films.execute(
        "SELECT gram, films FROM gram_counts WHERE gram IN (SELECT value FROM json_each(?)) ORDER BY films, gram",
        (json.dumps(trigrams(key)),),
    )
    chosen: list[str] = []
    listed = 0
    for gram, count in counted.fetchall():
        listed += count
        if listed > _POSTINGS and len(chosen) >= _LEAST_TRIGRAMS:
            break
        chosen.append(gram)
    return chosen


def _quoted(gram: str) -> str:
    escaped = gram.replace('"', '""')
    return f'"{escaped}"'


ENGINE = Engine(write=_write, open=lambda _folder: _Fts5())
