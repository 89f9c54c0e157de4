"""TMDb's operations for one lookup; an answer is kept in the lookup's memo, so that no request is ever sent twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast
from urllib.parse import quote

from cinegraph_core.contracts import Answer, Call, LookupContext
from cinegraph_core.errors import NotFoundError
from cinegraph_core.records import Candidate
from cinegraph_tmdb import SERVICE
from cinegraph_tmdb.wire import Details, Filmography, Found, PersonHit, PersonPage, SearchPage, reader

PAGE_SIZE = 20
# One call brings everything that tells two films apart, and what enriching the winner will want.
_APPENDED = "credits,alternative_titles,translations,external_ids,release_dates"

T = TypeVar("T")
_READERS: dict[type[Any], Callable[[Answer], Any]] = {
    kind: reader(kind) for kind in (Details, Filmography, Found, PersonPage, SearchPage)
}


class Tmdb:
    """The catalogue as one lookup sees it; ``target`` names the lookup in metrics.

    Every operation raises :class:`~cinegraph_core.errors.ServiceError` if TMDb did not answer properly.
    """

    def __init__(self, context: LookupContext, target: str) -> None:
        self._context = context
        self._target = target

    async def find_by_imdb(self, imdb_id: str) -> list[Candidate]:
        """Return the film, or else the series, that carries an IMDb id; empty if TMDb does not know it."""
        params = {"external_source": "imdb_id"}
        path = f"/find/{quote(imdb_id, safe='')}"
        found = await self._get(Found, "find_by_imdb", path, params, absent_ok=True, tag=f"film:{imdb_id}")
        hits = [one.candidate() for one in found.movie_results or found.tv_results] if found else []
        return [replace(hit, imdb_id=imdb_id) for hit in hits]

    async def search_movie(self, query: str, *, year: int | None = None) -> SearchPage:
        """Return the first page of hits, best first; ``year`` keeps only films first released in it."""
        page = await self._get(SearchPage, "search_movie", "/search/movie", {"query": query, "primary_release_year": year})
        return page or SearchPage(results=[])

    async def movie_details(self, tmdb_id: int) -> Candidate:
        """Return all that is known of a film; raises :class:`NotFoundError` if it is gone."""
        params = {"append_to_response": _APPENDED}
        path, tag = f"/movie/{tmdb_id}", f"film:{tmdb_id}"
        details = await self._get(Details, "movie_details", path, params, absent_ok=True, tag=tag)
        if details is None:
            raise NotFoundError(f"TMDb has no film {tmdb_id} any more", service=SERVICE)
        return details.candidate()

    async def search_person(self, name: str) -> list[PersonHit]:
        """Return people of that name, the best known first."""
        page = await self._get(PersonPage, "search_person", "/search/person", {"query": name})
        return page.results if page else []

    async def person_credits(self, person: PersonHit) -> list[Candidate]:
        """Return the films a person directed, with that director; empty if the person is gone."""
        path, tag = f"/person/{person.id}/movie_credits", f"person:{person.id}"
        films = await self._get(Filmography, "person_credits", path, {}, absent_ok=True, tag=tag)
        directed = [one.candidate() for one in films.crew if one.job == "Director"] if films else []
        return [replace(film, directors=(person.name,)) for film in directed]

    async def _get(
        self, kind: type[T], operation: str, path: str, params: Mapping[str, Any], *, absent_ok: bool = False, tag: str = ""
    ) -> T | None:
        """Return the answer as ``kind``, or ``None`` where TMDb properly says that there is no such record.

        ``tag`` says what it is about, so that a person can have it forgotten.
        """
        key = (SERVICE, operation, path, *sorted((name, value) for name, value in params.items() if value is not None))
        memo = self._context.memo
        if key not in memo:
            tags = (tag,) if tag else ()
            call = Call(SERVICE, operation, self._target, read=_READERS[kind], absent_ok=absent_ok, tags=tags)
            memo[key] = await self._context.client(SERVICE).get(path, params=params, call=call)
        return cast("T | None", memo[key])
