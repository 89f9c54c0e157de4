"""The local catalogue: every film's id and original title in one SQLite file, found by normal form or by likeness.

The file is written whole by :mod:`cinegraph_core.matching.title_loading` and only read here. SQLite's FTS5 lists the films of
each trigram; which of them are most alike is settled by edit distance. Searches run in threads of their own and bring their
answer in one row, so that they neither hold the event loop nor wait for it row by row.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rapidfuzz.distance import OSA

from cinegraph_core.errors import ConfigurationError
from cinegraph_core.matching.titles import HALF_COST, spellings, without_article, words
from cinegraph_core.records import Candidate

MOST_SIMILAR = 5
"""How many films of a similar title are returned at most; details of no more than a few of them are ever fetched."""
LEAST_SIMILAR = 0.75
"""The least normalised similarity (0 to 1, edits and swapped neighbours) of two normal forms that is worth a look."""
_MOST_NAMESAKES = 20
_RERANKED = 1000
_POSTINGS = 40_000  # films listed under the trigrams asked for; bounds a search to some 20 ms
_LEAST_TRIGRAMS = 2
_MOST_TRIGRAMS = 500
_SAMPLES = ("The Piano", "Rocky II", "Amélie & Élise", "L'Été, Part Two", "八月", "Солярис", "8½", "…")
_FORMAT = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """What a catalogue says of itself; ``loaded_at`` is ISO 8601 (UTC), ``source`` the file or address it came from."""

    films: int
    source: str
    loaded_at: str
    fingerprint: str


def key_of(title: str) -> str:
    """Return the normal form under which a title is filed: its normal words joined, without a leading article."""
    return _filed(words.__wrapped__(title))


def _filed(parts: tuple[str, ...]) -> str:
    # Half a surrogate pair, which no database takes, may be in a title that a program made.
    return "".join(without_article(parts)).encode("utf-8", "replace").decode("utf-8")


def fingerprint() -> str:
    """Return what changes with the normal form or the layout of the file, so that an outdated one is noticed."""
    forms = "\n".join(map(key_of, _SAMPLES))
    return f"{_FORMAT}-{hashlib.sha256(forms.encode()).hexdigest()[:12]}"


def trigrams(key: str) -> list[str]:
    """Return the distinct trigrams of a normal form, in their order; the end of an endless one is left out."""
    return list(dict.fromkeys(key[at : at + 3] for at in range(min(len(key) - 2, _MOST_TRIGRAMS))))


class TitleIndex:
    """A catalogue file, opened for reading; the :class:`~cinegraph_core.contracts.Catalogue` that matchers are handed.

    Raises :class:`ConfigurationError` with the remedy for a file that is no catalogue, or one of another version. The file
    may be replaced while it is open: this one then goes on with the old films.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self.about = self._read_about()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="cinegraph-catalogue")

    async def same_title(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the films whose original title has the normal form of any full reading of these, the best known first."""
        keys = {_filed(reading.words) for title in titles for reading in spellings(title) if reading.cost <= HALF_COST}
        return await self._off_loop(lambda: self._by_key(sorted(keys - {""})))

    async def similar(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the few films whose original titles are most like any of these, the likest first; none is far off."""
        keys = dict.fromkeys(map(key_of, titles))
        return await self._off_loop(lambda: self._by_likeness(list(keys)))

    def close(self) -> None:
        """Let go of the file."""
        self._threads.shutdown(wait=True)
        for connection in self._opened:
            connection.close()

    # ------------------------------------------------------------------------------------------- in the threads

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _by_key(self, keys: Sequence[str]) -> list[Candidate]:
        found = self._connection().execute(
            f"SELECT id, title, popularity FROM films WHERE key IN ({_marks(keys)})"  # noqa: S608 - question marks only
            f" ORDER BY popularity DESC, id LIMIT {_MOST_NAMESAKES}",
            keys,
        )
        return [_candidate(*row) for row in found.fetchall()]

    def _by_likeness(self, keys: Sequence[str]) -> list[Candidate]:
        best: dict[int, tuple[float, Candidate]] = {}
        for key in keys:
            for film, title, popularity, other in self._sharing(key):
                alike = OSA.normalized_similarity(key, other, score_cutoff=LEAST_SIMILAR)
                if alike and (film not in best or alike > best[film][0]):
                    best[film] = (alike, _candidate(film, title, popularity))
        ranked = sorted(best.values(), key=lambda found: (-found[0], -found[1].popularity, found[1].tmdb_id))
        return [candidate for _, candidate in ranked[:MOST_SIMILAR]]

    def _sharing(self, key: str) -> list[tuple[int, str, float, str]]:
        """Return the films that share most of the rarest trigrams of a normal form: id, title, popularity, normal form."""
        rarest = self._rarest(key)
        if not rarest:
            return []
        each = " UNION ALL ".join(
            f"SELECT rowid AS id, {len(rarest) - at} + 100 AS weight FROM trigrams WHERE trigrams MATCH ?"  # noqa: S608 - numbers
            for at in range(len(rarest))
        )
        row = self._connection().execute(
            "SELECT json_group_array(json_array(films.id, title, popularity, key)) FROM films JOIN ("  # noqa: S608 - as above
            f"SELECT id FROM ({each}) GROUP BY id ORDER BY sum(weight) DESC LIMIT {_RERANKED}) USING (id)",
            [_quoted(gram) for gram in rarest],
        )
        return [tuple(found) for found in json.loads(row.fetchone()[0])]

    def _rarest(self, key: str) -> list[str]:
        """Return the rarest trigrams that any film has, as many as can be asked for at a bounded cost."""
        grams = trigrams(key)
        counted = self._connection().execute(
            f"SELECT gram, films FROM gram_counts WHERE gram IN ({_marks(grams)}) ORDER BY films, gram",  # noqa: S608 - as above
            grams,
        )
        chosen: list[str] = []
        listed = 0
        for gram, films in counted.fetchall():
            listed += films
            if listed > _POSTINGS and len(chosen) >= _LEAST_TRIGRAMS:
                break
            chosen.append(gram)
        return chosen

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._own, "connection"):
            self._own.connection = _opened(self._path)
            self._opened.append(self._own.connection)
        connection: sqlite3.Connection = self._own.connection
        return connection

    def _read_about(self) -> About:
        again = "load it again: cinegraph catalogue load FILE"
        try:
            about = read_about(self._path)
        except sqlite3.Error as error:
            raise ConfigurationError(f"the catalogue {self._path} cannot be read ({error}); {again}") from error
        if about.fingerprint != fingerprint():
            raise ConfigurationError(f"the catalogue {self._path} was made by another version of Cinegraph; {again}")
        return about


def read_about(path: Path) -> About:
    """Return what a catalogue file says of itself; raises :class:`sqlite3.Error` for a file that is none."""
    connection = _opened(path)
    try:
        said = dict(connection.execute("SELECT name, value FROM about").fetchall())
        return About(int(said["films"]), said["source"], said["loaded_at"], said["fingerprint"])
    except (KeyError, ValueError) as error:
        raise sqlite3.DatabaseError(f"it does not say {error}") from error
    finally:
        connection.close()


def _opened(path: Path) -> sqlite3.Connection:
    # Nobody ever writes to the file; it is replaced as a whole.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def _candidate(film: int, title: str, popularity: float) -> Candidate:
    return Candidate(tmdb_id=film, title=title, original_title=title, popularity=popularity)


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


def _quoted(gram: str) -> str:
    escaped = gram.replace('"', '""')
    return f'"{escaped}"'
