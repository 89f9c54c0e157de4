"""Every fault of a service × every adapter × every state of the breaker, over real HTTP: the right error, the right number
of requests, the right row.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.support.adapters import RETRIES, through
from tests.support.crawling import opened
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
from tests.support.waiting import within

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
    # Longer than a crawl waits; it waits out an hour.
    Fault("429, two hours", (too_many("7200"), answer()), "rate_limit", attempts=1, waited=(0.0, 0.0)),
    Fault("200 with an error in it", (answer(200, LIMIT),), "rate_limit"),
    Fault("401", (answer(401),), "auth_error", attempts=1, waited=(0.0, 0.0)),
    Fault("404", (answer(404),), "not_found", attempts=1, waited=(0.0, 0.0)),
    Fault("422", (answer(422),), "client_error", attempts=1, waited=(0.0, 0.0)),
    *(fault for status in (500, 502, 503, 504) for fault in _burst(status)),
]


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
        ended = through(adapter, url, state, folder, hangs=fault.error == "timeout")
        (row,) = ended.rows
        within(1.0, lambda: server.counts["/film"] >= row.attempts)  # one that was given up may arrive late
        requests = server.counts["/film"]

    error, attempts, unsent, after = fault.error, fault.attempts, fault.unsent, "closed"
    if state == "half_open":
        after = "open" if fault.trips else "half_open"
        if fault.trips:
            error, attempts, unsent = error or "server_error", min(attempts, 1), min(unsent, 1)
    if state == "open":
        error, attempts, unsent, after = "circuit_open", 0, 0, "open"
    assert (row.error_type, row.attempts, row.metadata.get("unsent", 0)) == (error, attempts, unsent)
    assert row.success is (error is None)
    assert requests == attempts
    assert getattr(ended.error, "error_type", None) == error
    assert (ended.value == {"id": 1}) is (error is None)
    assert ended.state == after
    if state == "closed":
        assert fault.waited[0] <= ended.waited <= fault.waited[1]
