"""The real cascade over answers kept on disk: what a replica said once is not asked again, so a trial takes seconds.

Only for experiments. The figures that count come from the command itself, over HTTP (``table.py``).
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Answer, Call, Matcher
from cinegraph_core.matching import Cascade
from cinegraph_core.matching.lookup import Lookup
from cinegraph_core.plugins import load_plugins
from cinegraph_core.records import Candidate, FilmQuery, Match, Measurement, Provenance
from cinegraph_core.settings import MatchingSettings, load_settings

Key = tuple[str, tuple[tuple[str, str], ...]]


class Recording:
    """Answers by request, kept in a file; what is missing is asked of the replica."""

    def __init__(self, file: Path, replica: str) -> None:
        self._file = file
        self._kept: dict[Key, tuple[int, bytes]] = pickle.loads(file.read_bytes()) if file.exists() else {}
        self._http = httpx.AsyncClient(base_url=f"{replica}/tmdb/3", timeout=60)
        self._new = 0

    async def ask(self, path: str, params: Mapping[str, Any]) -> Answer:
        sent = {name: str(value) for name, value in params.items() if value is not None}
        key = (path, tuple(sorted(sent.items())))
        if key not in self._kept:
            response = await self._http.get(path, params={**sent, "api_key": "x"})
            self._kept[key] = (response.status_code, response.content)
            self._new += 1
        status, body = self._kept[key]
        return Answer(status, {}, body, path)

    async def close(self) -> None:
        await self._http.aclose()
        if self._new:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_bytes(pickle.dumps(self._kept))

    def client(self, _name: str) -> _Client:
        """Return a client for one lookup; the recording is the cascade's door."""
        return _Client(self)


class _Client:
    provenance: Provenance = "live"

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.requests_sent = 0

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, call: Call) -> Any:
        self.requests_sent += 1
        answer = await self._recording.ask(path, params or {})
        if answer.status == 404 and call.absent_ok:
            return None
        return call.read(answer) if call.read else answer


class _NoTracker:
    def record(self, measurement: Measurement) -> None:
        """Keep nothing: a trial has no metrics."""


def matchers() -> list[Matcher]:
    """Return the installed levels."""
    return list(load_plugins().matchers())


def cascade_over(recording: Recording, settings: MatchingSettings | None = None) -> Cascade:
    """Return the real cascade with the installed levels, over a recording."""
    chosen = settings or load_settings(environ={}).matching
    return Cascade(matchers(), chosen, recording, _NoTracker(), SystemClock())


@asynccontextmanager
async def recording(file: Path, replica: str) -> AsyncIterator[Recording]:
    opened = Recording(file, replica)
    try:
        yield opened
    finally:
        await opened.close()


async def answers(opened: Recording, queries: Iterable[FilmQuery], settings: MatchingSettings | None = None) -> list[Match]:
    """Return the cascade's answers in the order of the queries."""
    cascade = cascade_over(opened, settings)
    return await gathered(cascade.match(query) for query in queries)


async def pools(opened: Recording, queries: Iterable[FilmQuery]) -> list[tuple[Candidate, ...]]:
    """Return every candidate the cascade had found for each query when it decided."""
    cascade = cascade_over(opened)

    async def pool(query: FilmQuery) -> tuple[Candidate, ...]:
        lookup = Lookup(query, opened)
        await cascade._search(lookup)
        return lookup.pool

    return await gathered(pool(query) for query in queries)


async def gathered(work: Iterable[Any], at_once: int = 16) -> list[Any]:
    slots = asyncio.Semaphore(at_once)

    async def one(job: Any) -> Any:
        async with slots:
            return await job

    return list(await asyncio.gather(*(one(job) for job in work)))
