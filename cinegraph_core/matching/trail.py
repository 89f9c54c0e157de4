"""What a lookup did, level by level, for whoever wants to know how its answer came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cinegraph_core.contracts import Call, Matcher, ServiceClient
from cinegraph_core.matching.evidence import Evidence
from cinegraph_core.records import Candidate, Explanation, LevelTried, Provenance, Weighed

MOST_WEIGHED = 10
"""How many candidates an explanation shows."""


class NotedClient:
    """A service's client that notes what it is asked for."""

    def __init__(self, client: ServiceClient, asked: list[str]) -> None:
        self._client = client
        self._asked = asked

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, call: Call) -> Any:
        """Do what the client does, and note it."""
        self._asked.append(_in_words(path, params, call))
        return await self._client.get(path, params=params, call=call)

    @property
    def requests_sent(self) -> int:
        """How many HTTP requests have left through the client."""
        return self._client.requests_sent

    @property
    def provenance(self) -> Provenance:
        """The worst provenance of what the client was answered; before the first answer, that of the service."""
        return self._client.provenance


class Trail:
    """The notes of one lookup; ``asked`` is what the level under way has asked for so far."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._levels: list[LevelTried] = []
        self._found: set[int] = set()
        self._verified: set[int] = set()

    def end_level(self, matcher: Matcher, pool: Iterable[Candidate], *, api_calls: int, accepted: bool) -> None:
        """Close the notes of a level."""
        found = [candidate.tmdb_id for candidate in pool if candidate.tmdb_id not in self._found]
        verified = [one.tmdb_id for one in pool if one.detailed and one.tmdb_id not in self._verified]
        self._found.update(found)
        self._verified.update(verified)
        tried = LevelTried(
            level=matcher.level,
            strategy=matcher.strategy,
            asked=tuple(self.asked),
            found=tuple(found),
            verified=tuple(verified),
            api_calls=api_calls,
            accepted=accepted,
        )
        self._levels.append(tried)
        self.asked.clear()

    def explanation(self, judged: Sequence[Evidence]) -> Explanation:
        """Return all that was noted, with the likeliest candidates; ``judged`` are all of them, best first."""
        return Explanation(tuple(self._levels), tuple(map(_weighed, judged[:MOST_WEIGHED])))


def _in_words(path: str, params: Mapping[str, Any] | None, call: Call) -> str:
    given = [f"{name}={value}" for name, value in (params or {}).items() if value is not None and name != "append_to_response"]
    return " ".join([call.operation, path, *given])


def _weighed(evidence: Evidence) -> Weighed:
    parts = {name: weight for name, weight in evidence.parts.items() if weight}
    return Weighed(evidence.candidate, evidence.score, parts, evidence.why, evidence.contradictions)
