"""Many queries at once: a bounded number in flight, answers in the order of the questions, memory that does not grow."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from dataclasses import replace

from cinegraph_core.matching.remembered import Matching
from cinegraph_core.records import FilmQuery, Match

IN_FLIGHT = 16
_AHEAD = 4 * IN_FLIGHT  # so that one slow lookup at the head does not leave the others idle
_REMEMBERED = 4096

_Entry = Match | asyncio.Task[Match]


class _Shared:
    """The lookups of a run, so that a question asked twice is looked up once; an ``error`` is asked again."""

    def __init__(self, matching: Matching, *, explain: bool) -> None:
        self._matching = matching
        self._explain = explain
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._known: OrderedDict[FilmQuery, asyncio.Task[Match]] = OrderedDict()

    def start(self, query: FilmQuery) -> asyncio.Task[Match]:
        """Return the task that answers a query."""
        question = replace(query, id="")
        first = self._known.get(question)
        if first is not None and not (first.done() and (first.cancelled() or first.result().status == "error")):
            self._known.move_to_end(question)
            return asyncio.create_task(self._repeated(first, query))
        task = asyncio.create_task(self._looked_up(query))
        self._known[question] = task
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return task

    async def _looked_up(self, query: FilmQuery) -> Match:
        async with self._slots:
            return await self._matching.match(query, explain=self._explain)

    async def _repeated(self, first: asyncio.Task[Match], query: FilmQuery) -> Match:
        match = await asyncio.shield(first)
        return replace(match, id=query.id, api_calls=0)


async def match_stream(
    matching: Matching, queries: AsyncIterable[FilmQuery | Match] | Iterable[FilmQuery | Match], *, explain: bool = False
) -> AsyncGenerator[Match, None]:
    """Yield the answer to each query, in their order; a ``Match`` among the queries passes through in its place.

    At most :data:`IN_FLIGHT` lookups run at a time. A question that was asked before in this run costs no further request.
    Closing the generator cancels what is still running.
    """
    shared = _Shared(matching, explain=explain)
    waiting: asyncio.Queue[_Entry | None] = asyncio.Queue(maxsize=_AHEAD)
    running: set[asyncio.Task[Match]] = set()

    async def feed() -> None:
        async for query in _asynchronous(queries):
            entry = query if isinstance(query, Match) else shared.start(query)
            if isinstance(entry, asyncio.Task):
                running.add(entry)
                entry.add_done_callback(running.discard)
            await waiting.put(entry)

    async def feed_all() -> None:
        try:
            await feed()
        except Exception:
            await waiting.put(None)
            raise
        await waiting.put(None)

    feeder = asyncio.create_task(feed_all())
    try:
        while (entry := await waiting.get()) is not None:
            yield await _finished(entry)
        await feeder
    finally:
        for task in (feeder, *running):
            task.cancel()
        await asyncio.gather(feeder, *running, return_exceptions=True)


async def _finished(entry: _Entry) -> Match:
    return entry if isinstance(entry, Match) else await entry


async def _asynchronous(
    queries: AsyncIterable[FilmQuery | Match] | Iterable[FilmQuery | Match],
) -> AsyncIterator[FilmQuery | Match]:
    if isinstance(queries, AsyncIterable):
        async for query in queries:
            yield query
        return
    for query in queries:
        yield query
        await asyncio.sleep(0)  # lets the lookups already started move on
