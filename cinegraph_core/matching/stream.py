"""Many queries at once: a bounded number in flight, answers in the order of the questions, memory that does not grow."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from dataclasses import replace

from cinegraph_core.matching.cascade import Cascade
from cinegraph_core.records import FilmQuery, Match

IN_FLIGHT = 16
_AHEAD = 4 * IN_FLIGHT  # so that one slow lookup at the head does not leave the others idle
_REMEMBERED = 4096


class _Shared:
    """The lookups of a run, so that a question asked twice is looked up once; an ``error`` is asked again."""

    def __init__(self, cascade: Cascade) -> None:
        self._cascade = cascade
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
            return await self._cascade.match(query)

    async def _repeated(self, first: asyncio.Task[Match], query: FilmQuery) -> Match:
        match = await asyncio.shield(first)
        return replace(match, id=query.id, api_calls=0)


async def match_stream(
    cascade: Cascade, queries: AsyncIterable[FilmQuery | Match] | Iterable[FilmQuery | Match]
) -> AsyncGenerator[Match, None]:
    """Yield the answer to each query, in their order; a ``Match`` among the queries passes through in its place.

    At most :data:`IN_FLIGHT` lookups run at a time. A question that was asked before in this run costs no further request.
    Closing the generator cancels what is still running.
    """
    shared = _Shared(cascade)
    waiting: deque[Match | asyncio.Task[Match]] = deque()
    try:
        async for query in _asynchronous(queries):
            waiting.append(query if isinstance(query, Match) else shared.start(query))
            while waiting and (len(waiting) >= _AHEAD or _ready(waiting[0])):
                yield await _finished(waiting.popleft())
        while waiting:
            yield await _finished(waiting.popleft())
    finally:
        running = [task for task in waiting if isinstance(task, asyncio.Task)]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _ready(entry: Match | asyncio.Task[Match]) -> bool:
    return isinstance(entry, Match) or entry.done()


async def _finished(entry: Match | asyncio.Task[Match]) -> Match:
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
