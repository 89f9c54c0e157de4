"""A service called ``films``, a replica of it, and one call through each adapter, in whatever mode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scrapy import Request, Spider

from cinegraph_core.application import Application
from cinegraph_core.contracts import Answer, Call, Credentials, Replica, ServiceSpec
from cinegraph_core.crawling.services import CALL
from cinegraph_core.crawling.tickets import RECEIPT
from cinegraph_core.records import Measurement, Mode
from tests.support.clocks import PatientClock
from tests.support.crawling import crawl_in, opened
from tests.support.fault_server import FaultServer, answer
from tests.support.sinks import PaperSink

NAME = "films"
ADAPTERS = ("httpx", "httpx sync", "scrapy")
SERVICE, REPLICA = "the service", "the replica"
SPEC = ServiceSpec(
    NAME, "https://films.example/3", retries=2, authenticate=lambda key: Credentials(params={"api_key": key}), cache_ttl=0.0
)


def stand_in(server: FaultServer, *services: str) -> Replica:
    """A replica of services, each below its own name."""
    return Replica("stand_in", services, lambda: {name: f"{server.url}/replica/{name}" for name in services})


def who(said: Answer) -> str:
    return str(said.json()["who"])


@dataclass
class Heard:
    """What one call brought: the value read or the error, and the provenance its caller was told."""

    value: Any = None
    provenance: str | None = None
    error: BaseException | None = None


@dataclass
class House:
    """An application whose service answers at ``/3``, and its replica below ``/replica``, both on one server."""

    application: Application
    sink: PaperSink
    server: FaultServer
    clock: PatientClock
    _told: int = field(default=0)

    def ask(self, adapter: str = "httpx", path: str = "/film", **call: Any) -> Heard:
        """Make one call; its errors are returned."""
        made = Call(NAME, "movie_details", "tt1", who, **call)
        if adapter == "scrapy":
            return self._crawl(path, made)
        if adapter == "httpx sync":
            with self.application.services.sync_client(NAME) as http:
                return heard(lambda: http.get(path, extensions={"cinegraph": made}))
        return self.run(lambda: self.application.services.http_client(NAME).get(path, extensions={"cinegraph": made}))

    def run(self, work: Callable[[], Any]) -> Heard:
        async def lead() -> Any:
            try:
                return await work()
            finally:
                await self.application.services.aclose()

        return heard(lambda: asyncio.run(lead()))

    def _crawl(self, path: str, call: Call) -> Heard:
        url = self.application.services.join(NAME, path)
        spider = type("OneOf", (_One,), {"url": url, "call": call})
        (item,), _ = asyncio.run(crawl_in(self.application, spider, {"ROBOTSTXT_OBEY": False}, {}))
        found: Heard = item["heard"]
        return found

    @property
    def rows(self) -> list[Measurement]:
        """The rows of calls since this was asked for last."""
        self.application.tracker.flush()
        calls = [row for row in self.sink.rows if row.kind == "call"]
        new, self._told = calls[self._told :], len(calls)
        return new

    @property
    def row(self) -> Measurement:
        (row,) = self.rows
        return row

    @property
    def asked(self) -> tuple[int, int]:
        """How many requests the service and its replica got."""
        counts = self.server.counts
        at_replica = sum(count for path, count in counts.items() if path.startswith("/replica"))
        return counts.total() - at_replica, at_replica

    def shut(self) -> None:
        """Open the breaker of the service by hand."""
        self.application.services.state(NAME).breaker.force_open()


def heard(work: Callable[[], Any]) -> Heard:
    try:
        done = work().extensions["cinegraph"]
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return Heard(error=error, provenance=getattr(error, "provenance", None))
    return Heard(done.value, done.answer.provenance or "live")


class _One(Spider):
    name = "one"
    url = ""
    call: Call

    async def start(self) -> Any:
        yield Request(self.url, callback=self.came, errback=self.failed, meta={CALL: self.call}, dont_filter=True)

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        receipt = response.meta[RECEIPT]
        yield {"heard": Heard(receipt.value, receipt.provenance)}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"heard": Heard(error=failure.value, provenance=getattr(failure.value, "provenance", None))}


@contextmanager
def house(
    folder: Path,
    server: FaultServer,
    *given: object,
    mode: Mode = "hybrid",
    films: dict[str, Any] | None = None,
    database_url: str | None = None,
    spec: ServiceSpec = SPEC,
    clock: PatientClock | None = None,
    **settings: Any,
) -> Iterator[House]:
    """Open an application in a mode; ``films`` are the service's own settings."""
    server.plan("/3/film", answer(200, b'{"who": "the service"}'))
    server.plan("/replica/films/film", answer(200, b'{"who": "the replica"}'))
    clock = clock or PatientClock(patient_from=5.0, patience=30.0)
    own = {"base_url": f"{server.url}/3", "api_key": "canary-key", "delay": 0.0, **(films or {})}
    brought = (spec, *(given or (stand_in(server, NAME),)))
    with opened(folder, *brought, clock=clock, mode=mode, database_url=database_url, services={NAME: own}, **settings) as (
        application,
        sink,
    ):
        yield House(application, sink, server, clock)


@contextmanager
def switchable(folder: Path, server: FaultServer, database_url: str, mode: Mode = "real", **more: Any) -> Iterator[House]:
    """An application of its own, with a clock of its own: what another process would be."""
    with house(folder, server, mode=mode, database_url=database_url, **more) as home:
        home.application.services.state(NAME)
        yield home


def mode_of(home: House) -> Mode:
    return home.application.services.mode(NAME)
