"""The real cascade over the real door, against a TMDb of our own, with every row it records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Catalogue, Clock, MetricsSink, SinkContext
from cinegraph_core.matching import Cascade, match_stream
from cinegraph_core.plugins import Plugins, load_plugins
from cinegraph_core.records import FilmQuery, Match, Measurement
from cinegraph_core.services import Services
from cinegraph_core.settings import load_settings
from cinegraph_core.tracking import Tracker
from tests.support.sinks import PaperSink
from tests.support.tmdb_server import Film, TmdbServer, serving


@dataclass
class Run:
    """One run of the cascade: the server it asked, its answers in order, its rows."""

    server: TmdbServer
    matches: list[Match] = field(default_factory=list)
    rows: list[Measurement] = field(default_factory=list)

    @property
    def match(self) -> Match:
        return self.matches[0]

    def of_kind(self, kind: str) -> list[Measurement]:
        return [row for row in self.rows if row.kind == kind]


@asynccontextmanager
async def cascade_over(
    run: Run, *, clock: Clock | None = None, plugins: Plugins | None = None, catalogue: Catalogue | None = None, **settings: str
) -> AsyncIterator[Cascade]:
    """The installed plugins, real settings, door and tracker; ``settings`` are named without the prefix."""
    environ = {
        "MODE": "real",
        "SERVICES__TMDB__API_KEY": "k",
        "SERVICES__TMDB__RATE_PER_SECOND": "0",
        "SERVICES__TMDB__BASE_URL": run.server.url,
        "SERVICES__TMDB__RETRIES": "0",
        **settings,
    }
    loaded = load_settings(environ={f"CINEGRAPH_{name}": value for name, value in environ.items()})
    plugins = plugins or load_plugins()
    clock = clock or SystemClock()
    sink = MetricsSink("listed", PaperSink(run.rows).open)
    tracker = Tracker({"listed": sink}, SinkContext("sqlite://", lambda _: None, clock))
    services = Services(loaded, plugins, tracker, clock)
    try:
        yield Cascade(plugins.matchers(), loaded.matching, services, tracker, clock, catalogue=catalogue)
    finally:
        await services.aclose()
        tracker.flush(5)
        tracker.close()


def looked_up(films: Sequence[Film], *queries: FilmQuery, server: TmdbServer | None = None, **settings: Any) -> Run:
    """Look every query up, one after the other, and return the run."""
    with serving(server or TmdbServer(films)) as served:
        run = Run(served)

        async def go() -> None:
            async with cascade_over(run, **settings) as cascade:
                run.matches = [await cascade.match(query) for query in queries]

        asyncio.run(go())
    return run


def streamed(films: Sequence[Film], queries: Sequence[FilmQuery | Match]) -> Run:
    """Send the queries through the stream and return the run."""
    with serving(TmdbServer(films)) as served:
        run = Run(served)

        async def go() -> None:
            async with cascade_over(run) as cascade:
                run.matches = [match async for match in match_stream(cascade, queries)]

        asyncio.run(go())
    return run


def query(title: str, year: int | None = None, *directors: str, **more: Any) -> FilmQuery:
    return FilmQuery(id=more.pop("id", "q"), title=title, year=year, directors=directors, **more)
