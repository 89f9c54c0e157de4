"""Every fault of a service × every adapter × every state of the breaker, over real HTTP: the right error, the right number
of requests, the right row.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from scrapy import Request, Spider
from scrapy.exceptions import IgnoreRequest

from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.crawling.door import RECEIPT
from cinegraph_core.crawling.services import CALL
from cinegraph_core.errors import RateLimitError, ServiceError
from cinegraph_core.records import Measurement
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.crawling import crawl_in, opened
from tests.support.door import Rows, open_door
from tests.support.fault_server import (
    Behaviour,
    FaultServer,
    answer,
    cut_short,
    drip,
    hang,
    html,
    refusing_url,
    reset_at_once,
    reset_mid_body,
    sliced,
    without_tls,
)

NAME = "films"
RETRIES = 2
Trouble = Literal["refused", "no such host", "no TLS"]


@dataclass(frozen=True)
class Fault:
    """What the service does, and how the call must end while the breaker is closed."""

    name: str
    plan: tuple[Behaviour, ...] | Trouble
    error: str | None = None
    attempts: int = RETRIES + 1
    unsent: int = 0
    trips: bool = False
    """Whether the first attempt alone sends a half-open breaker back."""
    waited: tuple[float, float] = (0.0, 3.0)
    """Seconds between the attempts on the clock, at least and at most; full jitter makes up to 1 + 2 of it."""


def too_many(retry_after: str) -> Behaviour:
    return answer(429, b"{}", {"Retry-After": retry_after})


def _held(name: str, retry_after: str, seconds: float) -> Fault:
    return Fault(name, (too_many(retry_after), answer()), None, attempts=2, waited=(seconds - 1.0, seconds))


def _burst(status: int) -> Iterator[Fault]:
    yield Fault(f"{status} for ever", (answer(status),), "server_error", trips=True)
    yield Fault(f"{status} twice", (answer(status), answer(status), answer()), None, trips=True)


LIMIT = b'{"Response": "False", "Error": "Request limit reached!"}'
FAULTS = [
    Fault("connection refused", "refused", "network_error", attempts=0, unsent=RETRIES + 1, trips=True),
    Fault("no such host", "no such host", "network_error", attempts=0, unsent=RETRIES + 1, trips=True),
    Fault("no TLS", "no TLS", "network_error", attempts=0, unsent=RETRIES + 1, trips=True),
    Fault("reset at once", (reset_at_once,), "network_error", trips=True),
    Fault("reset in the body", (reset_mid_body,), "network_error", trips=True),
    Fault("body cut short", (cut_short,), "network_error", trips=True),
    Fault("slow drip", (drip,), "timeout", trips=True, waited=(0.0, 20.0)),
    Fault("hang", (hang,), "timeout", trips=True, waited=(0.0, 20.0)),
    Fault("slices of one byte", (sliced(),), None, attempts=1, waited=(0.0, 0.0)),
    Fault("truncated JSON", (answer(200, b'{"id": '),), "invalid_response", trips=True),
    Fault("HTML for JSON", (html(),), "invalid_response", trips=True),
    _held("429, seconds", "4", 4.0),
    _held("429, date", "Tue, 14 Nov 2023 22:13:24 GMT", 4.0),
    _held("429, decimals", "1.5", 1.5),
    _held("429, date gone by", "Tue, 14 Nov 2023 22:00:00 GMT", 1.0),
    _held("429, negative", "-5", 1.0),
    _held("429, garbage", "soon", 1.0),
    Fault("429, an hour", (too_many("3600"), answer()), "rate_limit", attempts=1, waited=(0.0, 0.0)),
    Fault("200 with an error in it", (answer(200, LIMIT),), "rate_limit"),
    Fault("401", (answer(401),), "auth_error", attempts=1, waited=(0.0, 0.0)),
    Fault("404", (answer(404),), "not_found", attempts=1, waited=(0.0, 0.0)),
    Fault("422", (answer(422),), "client_error", attempts=1, waited=(0.0, 0.0)),
    *(fault for status in (500, 502, 503, 504) for fault in _burst(status)),
]


def judge(reply: Answer) -> ServiceError | None:
    """Find OMDb's way to say no."""
    return RateLimitError("Request limit reached!") if b"Request limit" in reply.body else None


def read(reply: Answer) -> Any:
    return json.loads(reply.body)


@dataclass
class Ended:
    """How one call ended."""

    error: BaseException | None
    value: Any
    rows: list[Measurement]
    waited: float
    state: str
    others: list[type[BaseException]] = field(default_factory=list)


def prepare(services: Services, clock: PatientClock, state: str) -> None:
    """Bring the service's breaker into a state."""
    breaker = services.state(NAME).breaker
    if state != "closed":
        for _ in range(5):
            breaker.failure(breaker.acquire(0.0), 0.0)
    if state == "half_open":
        clock.advance(60.0)


def spec(timeout: float) -> ServiceSpec:
    return ServiceSpec(NAME, "https://films.example", retries=RETRIES, judge=judge, timeout=timeout)


def new_clock() -> PatientClock:
    """A clock whose 22:13:20 makes the date above four seconds away, in every state of the breaker."""
    return PatientClock(patient_from=5.0, patience=0.4)


def through_httpx(url: str, state: str, folder: Path, *, sync: bool) -> Ended:
    rows, clock = Rows(), new_clock()
    services = open_door(spec(5.0), clock=clock, rows=rows, services={NAME: {"base_url": url, "cache_ttl": 0}})
    prepare(services, clock, state)
    began = clock.monotonic()
    request: Any = {"url": "/film", "extensions": {"cinegraph": Call(NAME, "movie_details", "tt1", read)}}
    error, response = None, None
    try:
        if sync:
            with services.sync_client(NAME) as http:
                response = http.get(**request)
        else:
            response = asyncio.run(_get(services, request))
    except ServiceError as caught:
        error = caught
        assert isinstance(caught, httpx.HTTPError), "an error of httpx too"  # noqa: PT017 - both ends are right
    value = response.extensions["cinegraph"].value if response else None
    return Ended(error, value, rows.all, clock.monotonic() - began, services.breaker_state(NAME))


async def _get(services: Services, request: Any) -> httpx.Response:
    try:
        return await services.http_client(NAME).get(**request)
    finally:
        await services.aclose()


class OnePage(Spider):
    name = "one_page"
    base = ""

    async def start(self) -> Any:
        call = Call(NAME, "movie_details", "tt1", read)
        yield Request(f"{self.base}/film", callback=self.came, errback=self.failed, meta={CALL: call})

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"value": response.meta[RECEIPT].value}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value}


def through_scrapy(url: str, state: str, folder: Path) -> Ended:
    clock = new_clock()
    with opened(folder, spec(0.4), clock=clock, services={NAME: {"base_url": url, "cache_ttl": 0}}) as (application, sink):
        services = application.services
        prepare(services, clock, state)
        began = clock.monotonic()
        spider = type("OnePageOf", (OnePage,), {"base": url})
        (item,), _ = asyncio.run(crawl_in(application, spider, {"ROBOTSTXT_OBEY": False}, {}))
        application.tracker.flush()
        error = item.get("error")
        if state == "open":
            assert isinstance(error, IgnoreRequest), "a refusal is what Scrapy calls a request to be ignored"
        return Ended(error, item.get("value"), list(sink.rows), clock.monotonic() - began, services.breaker_state(NAME))


def through(adapter: str, url: str, state: str, folder: Path) -> Ended:
    if adapter == "scrapy":
        return through_scrapy(url, state, folder)
    return through_httpx(url, state, folder, sync=adapter == "httpx sync")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database; building one takes longer than a crawl."""
    folder = tmp_path_factory.mktemp("template")
    with opened(folder):
        return folder / "crawl.db"


@pytest.fixture
def folder(database: Path, tmp_path: Path) -> Path:
    """A folder with a database of its own: breakers share their state through it."""
    shutil.copy(database, tmp_path)
    return tmp_path


@pytest.fixture
def no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's resolver, without its network."""
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.usefixtures("no_such_host")
@pytest.mark.parametrize("adapter", ["httpx async", "httpx sync", "scrapy"])
@pytest.mark.parametrize("state", ["closed", "half_open", "open"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(fault: Fault, state: str, adapter: str, folder: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(FaultServer())
        url = server.url
        if fault.plan == "refused":
            url = refusing_url()
        elif fault.plan == "no such host":
            url = "http://nowhere.invalid"
        elif fault.plan == "no TLS":
            url = stack.enter_context(without_tls())
        else:
            server.plan("/film", *fault.plan)
        ended = through(adapter, url, state, folder)
        requests = server.counts["/film"]

    error, attempts, unsent, after = fault.error, fault.attempts, fault.unsent, "closed"
    if state == "half_open":
        after = "open" if fault.trips else "half_open"
        if fault.trips:
            error, attempts, unsent = error or "server_error", min(attempts, 1), min(unsent, 1)
    if state == "open":
        error, attempts, unsent, after = "circuit_open", 0, 0, "open"
    (row,) = ended.rows
    assert (row.error_type, row.attempts, row.metadata.get("unsent", 0)) == (error, attempts, unsent)
    assert row.success is (error is None)
    assert requests == attempts
    assert getattr(ended.error, "error_type", None) == error
    assert (ended.value == {"id": 1}) is (error is None)
    assert ended.state == after
    if state == "closed":
        assert fault.waited[0] <= ended.waited <= fault.waited[1]
