"""What is kept of an answer, for how long it is good, and a bounded memory of it; the time is passed in.

Times are seconds since the epoch, because entries outlive the process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

Freshness = Literal["fresh", "stale", "gone"]


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """For how many seconds an answer is fresh (``ttl``), and one that says "there is no such thing" (``negative``).

    After that it may be served for ``revalidate`` more seconds while a new one is fetched, and for ``on_error`` more
    seconds if none can be had. ``ttl`` 0 keeps nothing.
    """

    ttl: float = 0.0
    negative: float = 0.0
    revalidate: float = 0.0
    on_error: float = 0.0

    @property
    def grace(self) -> float:
        """Return for how long an entry is worth keeping after it is no longer fresh."""
        return max(self.revalidate, self.on_error)


_ROUNDING = 0.001
"""Seconds by which a moment may seem later once it was written down."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept answer; ``url`` is the public one, ``absent`` a proper "not found"; a purge can select by ``path`` and ``tags``.

    ``asked_at`` is known to the process that asked: what was asked for before a purge must not outlive it.
    """

    key: str
    service: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    absent: bool
    stored_at: float
    fresh_until: float
    kept_until: float
    tags: tuple[str, ...] = ()
    asked_at: float | None = field(default=None, compare=False)

    @property
    def since(self) -> float:
        """Return the moment of which the answer is."""
        return self.stored_at if self.asked_at is None else self.asked_at

    @property
    def size(self) -> int:
        """Return about how many bytes it takes."""
        return len(self.body) + 512

    def freshness(self, now: float) -> Freshness:
        """Return whether it is ``fresh``, ``stale`` (good for an emergency) or ``gone``; one from the future is gone."""
        if now < self.stored_at - 60.0 or now >= self.kept_until:
            return "gone"
        return "fresh" if now < self.fresh_until else "stale"


def cache_key(parts: tuple[str, ...], query: list[str]) -> str:
    """Return the SHA-256 of what makes an answer the same: the parts, and the query's pairs in whatever order of names.

    Values of one name stay in their order, which may mean something.
    """
    # To look at names is dear. Where one name begins another, pairs that stand in order may get a key of their own: one more
    # question to the service, never a wrong answer.
    if sorted(query) != query:
        query = sorted(query, key=_name_of)
    return sha256("\0".join((*parts, *query)).encode()).hexdigest()


class Memory:
    """The entries used last, at most ``entries`` of them and ``size`` bytes; counts what it had to let go.

    One of more than ``largest`` bytes is not held: too many others would have to go for it.
    """

    def __init__(self, *, entries: int = 2048, size: int = 64 << 20, largest: int = 8 << 20) -> None:
        self._most, self._room, self._largest = entries, size, min(size, largest)
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Entry] = OrderedDict()
        self._size = 0
        self.evicted = 0

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def get(self, key: str) -> Entry | None:
        """Return an entry, which is then the last one to be let go."""
        entry = self._held.get(key)
        if entry is not None:
            try:
                self._held.move_to_end(key)
            except KeyError:
                return None  # another thread let it go just now
        return entry

    def put(self, entry: Entry) -> None:
        """Keep an entry in place of an older one; lets the least recently used go where there is no room."""
        with self._lock:
            self._drop(entry.key)
            if entry.size > self._largest:
                return
            self._held[entry.key] = entry
            self._size += entry.size
            while len(self._held) > self._most or self._size > self._room:
                self._drop(next(iter(self._held)))
                self.evicted += 1

    def outdate(self, key: str, stored_at: float) -> None:
        """Forget an entry in whose place another was kept at that moment, by a process of another memory."""
        entry = self._held.get(key)
        if entry is None or entry.stored_at >= stored_at - _ROUNDING:
            return
        with self._lock:
            if self._held.get(key) is entry:
                self._drop(key)

    def purge(self, service: str, *, before: float) -> None:
        """Forget what is of a service and of before a moment."""
        with self._lock:
            for key in [key for key, one in self._held.items() if one.service == service and one.since < before]:
                self._drop(key)

    def _drop(self, key: str) -> None:
        entry = self._held.pop(key, None)
        if entry is not None:
            self._size -= entry.size


def _name_of(pair: str) -> str:
    return pair.partition("=")[0]
