"""Answers kept for later: in memory, below that in the database, and one request for all who ask the same at once.

An error in here never fails a call: what cannot be looked up is asked for, what cannot be stored is not kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import inf
from typing import Literal

import msgspec

from cinegraph_core.contracts import Answer, Clock, ServiceSpec
from cinegraph_core.records import Provenance
from cinegraph_core.resilience.cache import CachePolicy, Entry, Memory
from cinegraph_core.services.cache_keys import key_of, may_be_kept
from cinegraph_core.services.cache_shared import Kept
from cinegraph_core.services.flights import Flight

Use = Literal["serve", "renew", "spare", "nothing"]
_NOT_KEPT = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "set-cookie", "transfer-encoding"})
"""Headers of the way an answer came, or of one caller alone; bodies are kept decoded."""
PATIENCE = 1.0
"""Seconds the database is given to answer; asking the service itself takes no longer."""


class ServiceCache:
    """The cache of one service; ``kept`` is the layer shared with other processes, if there is one.

    ``secrets`` names the parameters that carry its key: they are no part of what was asked.
    """

    def __init__(
        self,
        spec: ServiceSpec,
        memory: Memory,
        kept: Kept | None,
        clock: Clock,
        *,
        secrets: Collection[str] = (),
        provenance: Provenance = "live",
    ) -> None:
        ttl = spec.cache_ttl or 0.0
        self.policy = CachePolicy(ttl, min(ttl, spec.cache_negative_ttl), spec.cache_revalidate, spec.cache_on_error)
        self._service = spec.name
        # What a replica says must not answer for the service later, in another mode.
        self._asked = spec.name if provenance == "live" else f"{spec.name} ({provenance})"
        self._secrets = tuple(f"{name}=" for name in secrets)
        self._memory = memory
        self._kept = kept
        self._clock = clock
        self._provenance = provenance
        self._flights: dict[str, Flight] = {}

    def takes(self, method: str) -> bool:
        """Tell whether the answer to a request made by this method may be kept."""
        return self.policy.ttl > 0 and method == "GET"

    def key(self, path: str, query: str, headers: Mapping[str, str]) -> str | None:
        """Return the key of a GET below the service's base, ``None`` if its answer is not to be kept.

        Names of headers are lower case.
        """
        return key_of(self._asked, path, query, headers, secrets=self._secrets)

    def may_hold(self, key: str) -> bool:
        """Tell whether it is worth the wait to :meth:`find` a key."""
        return key in self._memory or (self._kept is not None and self._kept.may_hold(key))

    async def find(self, key: str, *, patience: float = inf) -> Entry | None:
        """Return the entry of a key that is fresh or at least good for an emergency.

        The database is given ``patience`` seconds, and never more than :data:`PATIENCE`.
        """
        now = self._clock.now()
        entry = self._memory.get(key)
        if entry is not None and entry.freshness(now) == "fresh":
            return entry
        kept = self._kept
        if kept is not None and kept.may_hold(key):
            found = await kept.find(key, min(patience, PATIENCE))
            if found is not None and (entry is None or found.stored_at > entry.stored_at):
                entry = self._by_own_times(found)
                self._memory.put(entry)
        return None if entry is None or entry.freshness(now) == "gone" else entry

    def use_of(self, entry: Entry) -> Use:
        """Return what an entry is good for.

        ``serve`` it; ``renew``: serve it and fetch a new one; ``spare``: keep it aside in case no other can be had; ``nothing``.
        """
        age = self._clock.now() - entry.fresh_until
        if age < 0:
            return "serve"
        if age < self.policy.revalidate:
            return "renew"
        return "spare" if age < self.policy.on_error else "nothing"

    def served(self, entry: Entry) -> Answer:
        """Return an entry as the answer it is now: from the cache, or stale."""
        provenance = self._marked("cache" if self._clock.now() < entry.fresh_until else "stale")
        return Answer(entry.status, entry.headers, entry.body, entry.url, provenance, entry.stored_at)

    def count_served(self, entry: Entry) -> None:
        """Count that a call ended with an entry."""
        self.count("hits" if self._clock.now() < entry.fresh_until else "stale")
        if entry.absent:
            self.count("negative")

    def shared(self, answer: Answer) -> Answer:
        """Return an answer that somebody else's request brought, as it is for a caller that only waited."""
        return msgspec.structs.replace(answer, provenance=self._marked(answer.provenance or "cache"))

    def keep(
        self, key: str, path: str, answer: Answer, *, absent: bool, tags: tuple[str, ...] = (), asked_at: float | None = None
    ) -> None:
        """Keep a proper answer, unless what was kept was cleared or renewed since it was asked for; absence has its own time."""
        good = 0.0 if answer.status != 200 and not absent else self.policy.negative if absent else self.policy.ttl
        if good <= 0 or not may_be_kept(answer) or answer.provenance not in (None, self._provenance):
            return  # what has another provenance came in the place of an answer
        now = self._clock.now()
        asked_at = now if asked_at is None else asked_at
        if self._kept is not None and self._kept.was_cleared(self._service, asked_at, now):
            return
        if (known := self._memory.get(key)) is not None and asked_at < known.since <= now:
            return
        headers = {name: value for name, value in answer.headers.items() if name not in _NOT_KEPT}
        # What is absent may exist tomorrow, so it is never served beyond its time.
        kept = now + good + (0.0 if absent else self.policy.grace)
        about = self._service, path, answer.status, headers, answer.body, answer.url, absent
        entry = Entry(key, *about, now, now + good, kept, tags, asked_at)
        evicted = self._memory.evicted
        self._memory.put(entry)
        self.count("stored")
        if evicted != self._memory.evicted:
            self.count("evicted", self._memory.evicted - evicted)
        if self._kept is not None:
            self._kept.put(entry)

    def board(self, key: str, *, joins: bool = True) -> tuple[Flight, bool]:
        """Return the flight for a key, and whether it is the caller who has to make it; one who ``joins`` waits for it else."""
        own = Flight(key)
        flight = self._flights.setdefault(key, own)  # one step, so that of two threads one leads
        if flight is own:
            self.count("misses")
        elif joins:
            self.count("joined")
        return flight, flight is own

    def leave(self, flight: Flight) -> None:
        """Close a flight to newcomers; for its leader, when it has ended."""
        self._flights.pop(flight.key, None)

    def count(self, what: str, number: int = 1) -> None:
        """Count for the statistics of the service."""
        if self._kept is not None:
            self._kept.count(self._service, what, number)

    def _by_own_times(self, entry: Entry) -> Entry:
        """Return an entry that other settings may have kept, to be used no longer than ours allow."""
        ttl = self.policy.negative if entry.absent else self.policy.ttl
        fresh_until = min(entry.fresh_until, entry.stored_at + ttl)
        kept_until = min(entry.kept_until, fresh_until + (0.0 if entry.absent else self.policy.grace))
        return replace(entry, fresh_until=fresh_until, kept_until=kept_until)

    def _marked(self, provenance: Provenance) -> Provenance:
        return "mock" if self._provenance == "mock" else provenance
