"""A catalogue opened for reading: films of the same normal form, and films of the likest ones.

Searches run in threads of their own and bring their answer in one row, so that they neither hold the event loop nor wait for
it row by row.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from rapidfuzz.distance import OSA

from cinegraph_core.errors import ConfigurationError
from cinegraph_core.matching.catalogue.engines import Trigrams, engine_named
from cinegraph_core.matching.catalogue.file import About, fingerprint, opened, said_by
from cinegraph_core.matching.catalogue.keys import key_of, keys_of
from cinegraph_core.records import Candidate

MOST_SIMILAR = 5
"""How many films of a similar title are returned at most; details of no more than a few of them are ever fetched."""
LEAST_SIMILAR = 0.75
"""The least normalised similarity (0 to 1, edits and swapped neighbours) of two normal forms that is worth a look."""
_MOST_NAMESAKES = 20
_THREADS = 2

T = TypeVar("T")


class TitleIndex:
    """A catalogue file, opened for reading; the :class:`~cinegraph_core.contracts.Catalogue` that matchers are handed.

    Raises :class:`ConfigurationError` with the remedy for a file that is no catalogue, is one of another version, or needs
    an engine that is not installed. The catalogue may be replaced while it is open: this one goes on with the old films.
    """

    def __init__(self, path: Path) -> None:
        self._opened: list[sqlite3.Connection] = []
        try:
            # All at once: one opened later might be of the catalogue that took this one's place.
            self._opened += [opened(path) for _ in range(_THREADS)]
            self.about, self._trigrams = _checked(path, self._opened[0])
        except BaseException:
            self._close_files()
            raise
        self._free: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in self._opened:
            self._free.put(connection)
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="cinegraph-catalogue")

    async def same_title(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the films whose original title has the normal form of any full reading of these, the best known first."""
        keys = sorted(keys_of(titles))
        return await self._off_loop(lambda films: _by_key(films, keys))

    async def similar(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the few films whose original titles are most like any of these, the likest first; none is far off."""
        keys = list(dict.fromkeys(map(key_of, titles)))
        return await self._off_loop(lambda films: self._by_likeness(films, keys))

    def close(self) -> None:
        """Let go of the file."""
        self._threads.shutdown(wait=True)
        self._close_files()

    def _close_files(self) -> None:
        for connection in self._opened:
            connection.close()

    async def _off_loop(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._with_films, work)

    # ------------------------------------------------------------------------------------------- in the threads

    def _with_films(self, work: Callable[[sqlite3.Connection], T]) -> T:
        films = self._free.get()
        try:
            return work(films)
        finally:
            self._free.put(films)

    def _by_likeness(self, films: sqlite3.Connection, keys: Sequence[str]) -> list[Candidate]:
        best: dict[int, tuple[float, Candidate]] = {}
        for key in keys:
            for film, title, popularity, other in _rows(films, self._trigrams.sharing(key, films)):
                alike = OSA.normalized_similarity(key, other, score_cutoff=LEAST_SIMILAR)
                if alike and (film not in best or alike > best[film][0]):
                    best[film] = (alike, _candidate(film, title, popularity))
        ranked = sorted(best.values(), key=lambda found: (-found[0], -found[1].popularity, found[1].tmdb_id))
        return [candidate for _, candidate in ranked[:MOST_SIMILAR]]


def _by_key(films: sqlite3.Connection, keys: Sequence[str]) -> list[Candidate]:
    found = films.execute(
        "SELECT id, title, popularity FROM films WHERE key IN (SELECT value FROM json_each(?))"
        " ORDER BY popularity DESC, id LIMIT ?",
        (json.dumps(keys), _MOST_NAMESAKES),
    )
    return [_candidate(*row) for row in found.fetchall()]


def _rows(films: sqlite3.Connection, ids: Sequence[int]) -> list[tuple[int, str, float, str]]:
    """Return id, title, popularity and normal form of these films."""
    row = films.execute(
        "SELECT json_group_array(json_array(id, title, popularity, key)) FROM films WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    return [tuple(found) for found in json.loads(row.fetchone()[0])]


def _candidate(film: int, title: str, popularity: float) -> Candidate:
    return Candidate(tmdb_id=film, title=title, original_title=title, popularity=popularity)


def _checked(path: Path, catalogue: sqlite3.Connection) -> tuple[About, Trigrams]:
    """Return what the catalogue says of itself and its opened trigrams."""
    again = "load it again: cinegraph catalogue load FILE"
    try:
        about = said_by(catalogue)
        if about.fingerprint != fingerprint():
            raise ConfigurationError(f"the catalogue {path} was made by another version of Cinegraph; {again}")
        return about, engine_named(about.engine).open(path.parent / about.folder)
    except (sqlite3.Error, OSError, ValueError) as error:
        raise ConfigurationError(f"the catalogue {path} cannot be read ({error}); {again}") from error
