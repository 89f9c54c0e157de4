"""The file of a catalogue: what it says of itself, and whether this version can read it."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cinegraph_core.matching.catalogue.keys import key_of

_SAMPLES = ("The Piano", "Rocky II", "Amélie & Élise", "L'Été, Part Two", "八月", "Солярис", "8½", "…")
_FORMAT = 2


@dataclass(frozen=True, slots=True)
class About:
    """What a catalogue says of itself.

    ``loaded_at`` is ISO 8601 (UTC), ``source`` the file or address it came from, ``folder`` the name of the folder beside
    the file that holds what its engine wrote, empty if that is in the file.
    """

    films: int
    source: str
    loaded_at: str
    engine: str
    folder: str
    fingerprint: str


def fingerprint() -> str:
    """Return what changes with the normal form or the layout of the file, so that an outdated one is noticed."""
    forms = "\n".join(map(key_of, _SAMPLES))
    return f"{_FORMAT}-{hashlib.sha256(forms.encode()).hexdigest()[:12]}"


def opened(path: Path) -> sqlite3.Connection:
    """Open a catalogue for reading, from any thread; this one goes on being read when another takes its place.

    Raises :class:`sqlite3.Error` if there is none.
    """
    # Nobody ever writes to the file; it is replaced as a whole.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def said_by(catalogue: sqlite3.Connection) -> About:
    """Return what an opened catalogue says of itself; raises :class:`sqlite3.Error` for a file that is none."""
    said = dict(catalogue.execute("SELECT name, value FROM about").fetchall())
    try:
        return About(films=int(said.pop("films")), **said)
    except (KeyError, TypeError, ValueError) as error:
        raise sqlite3.DatabaseError(f"it does not say of itself what a catalogue says: {error}") from error


def read_about(path: Path) -> About:
    """Return what the catalogue in a file says of itself; raises :class:`sqlite3.Error` for a file that is none."""
    catalogue = opened(path)
    try:
        return said_by(catalogue)
    finally:
        catalogue.close()


def size_of(path: Path, about: About) -> int:
    """Return how many bytes a catalogue takes on disk, its folder included."""
    beside = (path.parent / about.folder).glob("*") if about.folder else ()
    return sum(file.stat().st_size for file in (path, *beside))
