"""TMDb's daily list of film ids, read line by line."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cinegraph_core.errors import UsageError
from cinegraph_core.matching.catalogue.keys import key_of

STEP = 10_000
"""After so many lines progress is reported."""
WANTED = "wanted is TMDb's list of film ids, movie_ids_MM_DD_YYYY.json.gz"
_GZIP = b"\x1f\x8b"


class _Listed(msgspec.Struct):
    """A line of the list; films that are not for everybody are left out, as TMDb's search leaves them out."""

    id: int
    original_title: str
    popularity: float = 0.0
    adult: bool = False


def films_listed(source: Path | bytes, name: str, advance: Callable[[], None]) -> Iterator[tuple[int, str, str, float]]:
    """Yield id, normal form, title and popularity of every film listed, gzipped or not; ``advance`` every :data:`STEP` lines.

    Raises :class:`UsageError` with the line for a list, called ``name``, that is torn or of another kind.
    """
    decode = msgspec.json.Decoder(_Listed).decode
    number = 0
    try:
        with _lines(source) as lines:
            for number, line in enumerate(lines, start=1):
                if number % STEP == 0:
                    advance()
                if not line.strip():
                    continue
                film = decode(line)
                if not film.adult and (key := key_of(film.original_title)):
                    yield film.id, key, film.original_title, film.popularity
    except msgspec.DecodeError as error:
        raise UsageError(f"{name}, line {number}: this is no film ({error}); {WANTED}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{name} is torn after line {number} ({error}); download it again") from error


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
