"""A small TMDb on loopback with a handful of typed-in films, which counts what it is asked and fails on demand.

Search is as the real one's is described: every word of the query must stand in one title of the film, no typo is forgiven.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Film:
    id: int
    title: str
    year: int | None = None
    original_title: str | None = None
    titles: tuple[str, ...] = ()
    translations: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    imdb_id: str | None = None
    runtime: int | None = None
    popularity: float = 1.0

    @property
    def hit(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "original_title": self.original_title or self.title,
            "release_date": f"{self.year}-05-20" if self.year else "",
            "popularity": self.popularity,
            "adult": False,
        }

    @property
    def details(self) -> dict[str, Any]:
        return self.hit | {
            "imdb_id": self.imdb_id,
            "runtime": self.runtime,
            "alternative_titles": {"titles": [{"iso_3166_1": "US", "title": title} for title in self.titles]},
            "translations": {"translations": [{"iso_639_1": "en", "data": {"title": title}} for title in self.translations]},
            "credits": {"cast": [], "crew": [{"name": name, "job": "Director"} for name in self.directors]},
            "external_ids": {"imdb_id": self.imdb_id},
        }

    def has(self, wanted: set[str]) -> bool:
        return any(wanted <= words(title) for title in (self.title, self.original_title or "", *self.titles, *self.translations))


@dataclass
class TmdbServer:
    """``asked`` lists path and parameters of every request; ``gone`` are ids whose details answer 404."""

    films: Sequence[Film]
    series: dict[str, str] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    fail_from: int | None = None
    failure: tuple[int, str] = (503, '{"status_code": 9, "status_message": "Service offline", "success": false}')
    url: str = ""

    def searches(self) -> list[dict[str, str]]:
        return [params for path, params in self.asked if path == "/3/search/movie"]

    def details(self) -> list[str]:
        return [path for path, _ in self.asked if path.startswith("/3/movie/")]

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, Any]:
        if self.fail_from is not None and len(self.asked) >= self.fail_from:
            return self.failure
        missing = (404, {"success": False, "status_code": 34, "status_message": "The resource you requested could not be found."})
        match path.split("/")[2:]:
            case ["search", "movie"]:
                return 200, self._search(params)
            case ["search", "person"]:
                hits = [(number, name) for number, name in self._people().items() if words(params["query"]) == words(name)]
                return 200, {"results": [{"id": number, "name": name} for number, name in hits], "total_results": len(hits)}
            case ["person", number, "movie_credits"]:
                name = self._people()[int(number)]
                return 200, {
                    "cast": [],
                    "crew": [film.hit | {"job": "Director"} for film in self.films if name in film.directors],
                }
            case ["find", imdb_id]:
                series = [{"id": 7, "name": self.series[imdb_id]}] if imdb_id in self.series else []
                return 200, {"movie_results": [f.hit for f in self.films if f.imdb_id == imdb_id], "tv_results": series}
            case ["movie", number] if int(number) not in self.gone:
                return 200, next(film.details for film in self.films if film.id == int(number))
        return missing

    def _people(self) -> dict[int, str]:
        names = dict.fromkeys(name for film in self.films for name in film.directors)
        return dict(enumerate(names, start=500))

    def _search(self, params: dict[str, str]) -> dict[str, Any]:
        wanted, year = words(params["query"]), params.get("primary_release_year")
        hits = [film for film in self.films if wanted and film.has(wanted) and (year is None or film.year == int(year))]
        hits.sort(key=lambda film: -film.popularity)
        return {"page": 1, "results": [film.hit for film in hits[:20]], "total_results": len(hits)}


def words(title: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", title.casefold())
    return set(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves before the answer is no event."""


@contextmanager
def serving(server: TmdbServer) -> Iterator[TmdbServer]:
    """Serve on a free loopback port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body = server.answer(parts.path, params)
            server.asked.append((parts.path, params))
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            return

    with _Quiet(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        server.url = f"http://127.0.0.1:{http.server_port}/3"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
