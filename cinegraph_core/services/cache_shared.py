"""The cache's layer in the database, which all processes share."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from cinegraph_core.records import Control
from cinegraph_core.records.words import CLEARINGS, cleared_at
from cinegraph_core.resilience.cache import Entry, Memory
from cinegraph_core.resilience.moments import APART, is_astray
from cinegraph_core.services.shared import Controls, SharedState

log = logging.getLogger(__name__)
_FEW_KEYS = 10_000
"""So many keys are worth no second look at which of them are gone."""


class Kept:
    """The database layer, shared by all processes; it knows which keys exist, so that a miss costs no query."""

    def __init__(self, shared: SharedState, memory: Memory) -> None:
        self._shared = shared
        self._memory = memory
        self._keys: set[str] | None = None
        self._most_keys = _FEW_KEYS
        self._looked_at = 0.0
        self._new: list[Entry] = []
        self._counted: deque[tuple[str, str]] = deque()
        self._untold: Counter[tuple[str, str]] = Counter()
        """What was counted and could not be written yet."""
        self._lock = threading.Lock()
        self._words: Controls = {}
        self._clearings: Counter[str] = Counter()
        """By service, how many clearings were heard of."""
        shared.join(self)

    def may_hold(self, key: str) -> bool:
        """Tell whether it is worth looking for a key."""
        return self._keys is None or key in self._keys

    async def find(self, key: str, patience: float) -> Entry | None:
        """Return what is kept under a key, ``None`` also if that is not to be had within ``patience`` seconds."""
        heard = self._clearings.copy()
        try:
            found = await asyncio.wait_for(self._shared.ask(lambda store: store.find(key)), patience)
        except TimeoutError:
            log.warning("the cache did not answer within %.1f s", patience)
            return None
        except Exception as error:  # noqa: BLE001 - a cache that breaks must not fail the call
            log.warning("the cache cannot be read: %s", error)
            return None
        if found is None:
            return None
        # It may have been written after the last purge was heard of here, or read just before one.
        now, is_outrun = self._shared.clock.now(), heard[found.service] != self._clearings[found.service]
        return None if is_outrun or self.was_cleared(found.service, found.stored_at, now, ("cache_cleared",)) else found

    def was_cleared(self, service: str, since: float, now: float, words: Sequence[Control] = CLEARINGS) -> bool:
        """Tell whether a person has cleared answers of a service since a moment; what lies far ahead says nothing."""
        cleared = cleared_at(self._words, service, words)
        return cleared > since and not is_astray(cleared, now)

    def put(self, entry: Entry) -> None:
        """Store an entry with the next pulse."""
        with self._lock:
            self._new.append(entry)

    def count(self, service: str, what: str, number: int = 1) -> None:
        """Count what the cache of a service did."""
        if number == 1:
            self._counted.append((service, what))
        else:
            self._counted.extend([(service, what)] * number)

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Write what gathered; read which keys are new."""
        with self._lock:
            new, self._new = self._new, []
        now = shared.clock.now()
        if new:
            for service, evicted in shared.use(lambda store: store.keep(new, now=now)).items():
                self._untold[service, "evicted"] += evicted
        self._untold.update(self._counted.popleft() for _ in range(len(self._counted)))
        if self._untold:
            tallies: defaultdict[str, dict[str, int]] = defaultdict(dict)
            for (service, what), number in self._untold.items():
                tallies[service][what] = number
            shared.use(lambda store: store.tally(tallies))
            self._untold.clear()
        if not ending:
            self._look_for_keys(shared, now)

    def _look_for_keys(self, shared: SharedState, now: float) -> None:
        """Read which keys are new; once as many came as there were at first, all, because some of the old ones are gone.

        What another process kept in place of an answer in memory is looked up when it is next asked for.
        """
        known = self._keys if self._keys is None or len(self._keys) <= self._most_keys else None
        # Each process dates what it keeps by its own clock, and what was kept earlier may be committed later.
        since = 0.0 if known is None else min(self._looked_at, now) - APART
        keys = shared.use(lambda store: store.keys(since=since, now=now))
        for key, stored_at in keys.items():
            self._memory.outdate(key, stored_at)
        if known is None:
            self._keys, self._most_keys = set(keys), max(_FEW_KEYS, 2 * len(keys))
        else:
            known.update(keys)
        self._looked_at = now

    def obey(self, words: Controls) -> None:
        """Forget what a person cleared."""
        before, self._words = self._words, words
        for (service, name), moment in words.items():
            if name in CLEARINGS and moment != before.get((service, name)):
                self._clearings[service] += 1
                self._memory.purge(service, before=moment / 1000)
