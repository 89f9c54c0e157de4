"""What one lookup carries along: the clients it used, the answers they gave, and the films found so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from cinegraph_core.contracts import Catalogue, ServiceClient
from cinegraph_core.errors import ConfigurationError, UnknownError
from cinegraph_core.matching.evidence import Evidence
from cinegraph_core.matching.trail import NotedClient, Trail
from cinegraph_core.records import Candidate, FilmKind, FilmQuery, Provenance

_WORST_FIRST: tuple[Provenance, ...] = ("mock", "fallback", "stale", "cache", "live")
_UNNAMED = "matching"


class Door(Protocol):
    """What matching needs of the services: a client of each, for one lookup."""

    def client(self, name: str) -> ServiceClient:
        """Return a new client of the service."""
        ...


class Lookup:
    """One film's way through the cascade; the :class:`~cinegraph_core.contracts.LookupContext` its matchers are handed."""

    def __init__(self, query: FilmQuery, door: Door, catalogue: Catalogue | None = None) -> None:
        self.query = query
        self.catalogue = catalogue
        self.memo: dict[Any, Any] = {}
        self.details = 0
        self.judged: tuple[Evidence, ...] = ()
        """The pool as it was judged last, the most probable first."""
        self.trail = Trail()
        self._door = door
        self._clients: dict[str, ServiceClient] = {}
        self._pool: dict[tuple[bool, int], Candidate] = {}

    def client(self, service: str) -> ServiceClient:
        """Return the service's client of this lookup; raises :class:`UnknownError` if no active plugin brings the service."""
        if service not in self._clients:
            try:
                self._clients[service] = NotedClient(self._door.client(service), self.trail.asked)
            except ConfigurationError as error:
                raise UnknownError(str(error), service=service) from error
        return self._clients[service]

    @property
    def target(self) -> str:
        """The query as metrics name it: its IMDb id, or ``title (year)``; never empty."""
        return target_of(self.query)

    @property
    def source(self) -> str:
        """The service asked first, for the rows of this lookup."""
        return next(iter(self._clients), _UNNAMED)

    @property
    def requests_sent(self) -> int:
        """How many HTTP requests have left for this lookup."""
        return sum(client.requests_sent for client in self._clients.values())

    @property
    def provenance(self) -> Provenance:
        """The worst provenance of the services used."""
        used = [client.provenance for client in self._clients.values()]
        return min(used, key=_WORST_FIRST.index, default="live")

    @property
    def pool(self) -> tuple[Candidate, ...]:
        """Every candidate found so far, each once."""
        return tuple(self._pool.values())

    def add(self, found: Iterable[Candidate]) -> bool:
        """Take candidates in, keeping what is known of each best; return whether any told something new."""
        news = False
        for candidate in found:
            known = self._pool.get(_key(candidate))
            if known is None or _tells_more(candidate, known):
                self._pool[_key(candidate)] = candidate
                news = True
        return news

    def drop(self, candidate: Candidate) -> None:
        """Forget a candidate that turned out not to exist."""
        self._pool.pop(_key(candidate), None)


def _tells_more(candidate: Candidate, known: Candidate) -> bool:
    """Whether a candidate brings what the one known lacks: its details, its year, or the director whose filmography listed it."""
    if known.detailed:
        return False
    dated = candidate.year is not None and known.year is None
    return candidate.detailed or dated or len(candidate.directors) > len(known.directors)


def _key(candidate: Candidate) -> tuple[bool, int]:
    # Films and series are numbered apart, so the same number may stand for one of each.
    series: tuple[FilmKind, ...] = ("series", "episode")
    return (candidate.kind in series, candidate.tmdb_id)


def target_of(query: FilmQuery) -> str:
    """Return a query's name in metrics: the IMDb id, else ``title (year)``, else its own id."""
    if query.imdb_id:
        return query.imdb_id
    title = " ".join((query.title or query.original_title or "").split())
    if not title:
        return f"query {query.id}"
    return f"{title} ({query.year})" if query.year is not None else title
