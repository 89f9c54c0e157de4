"""Local catalogues made of a few typed-in films."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cinegraph_core.matching import TitleIndex
from cinegraph_core.matching.catalogue import load_catalogue
from tests.support.tmdb_server import Film

NOW = 1_700_000_000.0


def line(film: int, title: str, **more: Any) -> str:
    return json.dumps({"adult": False, "id": film, "original_title": title, "popularity": 1.0, "video": False} | more)


def listed(films: Iterable[Film]) -> list[str]:
    """The lines TMDb would publish about these films: no year, no other title, no director."""
    return [line(film.id, film.original_title or film.title, popularity=film.popularity) for film in films]


def export(lines: Iterable[str]) -> bytes:
    return gzip.compress("".join(f"{one}\n" for one in lines).encode(), mtime=0)


@contextmanager
def local(folder: Path, films: Iterable[Film], engine: str = "fts5") -> Iterator[TitleIndex]:
    path = folder / "catalogue.db"
    load_catalogue(export(listed(films)), "typed", path, now=NOW, engine=engine)
    index = TitleIndex(path)
    try:
        yield index
    finally:
        index.close()
