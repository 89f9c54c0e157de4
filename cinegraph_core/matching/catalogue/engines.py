"""The engines that list which films share trigrams with a title: one contract, chosen when a catalogue is loaded.

They differ in speed and size, not in what is found: the films listed are compared letter by letter by
:class:`~cinegraph_core.matching.catalogue.index.TitleIndex`, whichever engine listed them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from cinegraph_core.errors import ConfigurationError

ENGINES: Mapping[str, str] = {"fts5": "fts5", "tantivy": "with_tantivy"}
"""The module of each engine by the engine's name; fts5 comes with Python, tantivy is an extra."""
DEFAULT_ENGINE = "fts5"


class Trigrams(Protocol):
    """The trigrams of all films, opened for reading; several threads ask at once."""

    def sharing(self, key: str, films: sqlite3.Connection) -> Sequence[int]:
        """Return the ids of the films that share most of a normal form's rarest trigrams, few enough to be compared quickly.

        ``films`` is the asking thread's own connection to the catalogue.
        """
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """How the trigrams of a catalogue's films are written and opened.

    ``write`` is handed the new catalogue, whose table ``films`` is filled (``id``, ``key``), and a folder that is not there
    yet, which it may make for files of its own; ``open`` gets that folder again.
    """

    write: Callable[[sqlite3.Connection, Path], None]
    open: Callable[[Path], Trigrams]


def engine_named(name: str) -> Engine:
    """Return an engine; raises :class:`ConfigurationError` with the remedy if it is unknown or not installed."""
    if name not in ENGINES:
        raise ConfigurationError(f"there is no engine {name!r} for the local catalogue; known are {' and '.join(ENGINES)}")
    try:
        engine: Engine = import_module(f"{__package__}.{ENGINES[name]}").ENGINE
    except ImportError as error:
        raise ConfigurationError(
            f"the engine {name} of the local catalogue is not installed ({error}): "
            f"in Cinegraph's checkout run: pip install '.[{name}]', or load with --engine {DEFAULT_ENGINE}"
        ) from error
    return engine
