"""What finds a film: one level of the cascade, and what it is handed; and what adds facts once it is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cinegraph_core.contracts.calls import ServiceClient
from cinegraph_core.contracts.naming import check_name
from cinegraph_core.records import Candidate, FilmQuery


class Catalogue(Protocol):
    """A local list of every film's id and original title.

    It knows neither years nor people nor other titles: its candidates are not detailed, and a namesake may be missing.
    """

    async def same_title(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the films whose original title has the normal form of any of these, the best known first."""
        ...

    async def similar(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the few films whose original titles are most like any of these, the likest first."""
        ...


class LookupContext(Protocol):
    """What a matcher is handed for one lookup: clients, a local catalogue, and a memo shared by all levels of this lookup."""

    @property
    def memo(self) -> dict[Any, Any]:
        """Answers already fetched in this lookup, by whatever key the catalogue's client uses."""
        ...

    @property
    def catalogue(self) -> Catalogue | None:
        """The local catalogue, if one is loaded."""
        ...

    def client(self, service: str) -> ServiceClient:
        """Return the client of a service, counted for this lookup."""
        ...


@dataclass(frozen=True, slots=True)
class Matcher:
    """One level of the cascade: it proposes candidates and never accepts one; the core's evidence judges them all.

    ``level`` orders the cascade, ``confidence`` is the level's constant. ``propose`` raises :class:`ServiceError` when
    its answers are not complete, so that an outage is never a "not found". ``verify`` fetches what a candidate's search
    hit lacks (directors, other titles, runtime); levels of one catalogue share it. ``suggest`` names candidates that cost no
    search, from the local catalogue; as that may hide namesakes, one of them is accepted before ``propose`` is asked only if
    its director and year, or its IMDb id, are those asked for.
    """

    name: str
    level: int
    strategy: str
    confidence: float
    propose: Callable[[FilmQuery, LookupContext], Awaitable[Sequence[Candidate]]]
    verify: Callable[[Candidate, LookupContext], Awaitable[Candidate]] | None = None
    suggest: Callable[[FilmQuery, LookupContext], Awaitable[Sequence[Candidate]]] | None = None

    def __post_init__(self) -> None:
        check_name("a matcher", self.name)
        check_name("a strategy", self.strategy)


@dataclass(frozen=True, slots=True)
class Enricher:
    """Adds facts to a matched film: ``enrich(imdb_id, context)`` returns field names and values of one provider."""

    name: str
    service: str
    enrich: Callable[[str, LookupContext], Awaitable[Mapping[str, Any]]]

    def __post_init__(self) -> None:
        check_name("an enricher", self.name)
