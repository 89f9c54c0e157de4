"""``@guarded``: the door for any callable, async or not."""

from __future__ import annotations

import asyncio
import inspect
import threading
import urllib.error
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.errors import (
    CircuitOpenError,
    ClientError,
    NetworkError,
    NoDataError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
    UnknownError,
)
from cinegraph_core.services import Services
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door

KINDS = ["sync", "async"]


class Bench:
    """A door without services, and functions led through it."""

    def __init__(self, kind: str = "sync", clock: FakeClock | None = None, **options: Any) -> None:
        self.kind = kind
        self.clock = clock or FakeClock()
        self.rows = Rows()
        self.services: Services = open_door(clock=self.clock, rows=self.rows)
        self.options = options

    def call(self, *outcomes: Any, name: Any = "openai", **options: Any) -> Any:
        """Call a guarded function that ends in these ways, one per attempt."""
        left = list(outcomes)
        given = {"services": self.services, **self.options, **options}

        def work(question: str = "?") -> Any:
            outcome = left.pop(0)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        async def work_async(question: str = "?") -> Any:
            return work(question)

        try:
            if self.kind == "sync":
                return guarded(name, operation="ask", **given)(work)("who?")
            return asyncio.run(guarded(name, operation="ask", **given)(work_async)("who?"))
        finally:
            assert not left


@pytest.mark.parametrize("kind", KINDS)
def test_it_returns_what_the_function_returns_and_leaves_one_row(kind: str) -> None:
    bench = Bench(kind, target=lambda question: f"q:{question}")
    assert bench.call(42) == 42
    row = bench.rows.only
    assert (row.source, row.operation, row.target_identifier) == ("openai", "ask", "q:who?")
    assert (row.success, row.attempts, row.provenance, row.error_type) == (True, 1, "live", None)


def test_it_looks_like_the_function_and_is_named_after_it() -> None:
    bench = Bench()

    @guarded("openai", services=bench.services)
    def complete(prompt: str) -> str:
        """Finish a sentence."""
        return prompt + "!"

    @guarded("openai", services=bench.services)
    async def complete_later(prompt: str) -> str:
        return prompt + "!"

    assert (complete.__name__, complete.__doc__) == ("complete", "Finish a sentence.")
    assert inspect.iscoroutinefunction(complete_later) and not inspect.iscoroutinefunction(complete)  # noqa: PT018
    assert (complete("a"), asyncio.run(complete_later("b"))) == ("a!", "b!")
    assert [(row.operation, row.target_identifier) for row in bench.rows.all] == [
        ("complete", "complete"),
        ("complete_later", "complete_later"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_said_to_be_idempotent_is_repeated(kind: str) -> None:
    bench = Bench(kind)
    with pytest.raises(NetworkError):
        bench.call(ConnectionResetError())
    assert bench.call(ConnectionResetError(), ConnectionResetError(), 1, idempotent=True) == 1
    assert bench.clock.slept == [1.0, 2.0]
    assert bench.rows.brief == [(False, "network_error", 1), (True, None, 3)]


def _http(status: int, **headers: str) -> Exception:
    """An error as requests, httpx and openai raise them."""
    error = RuntimeError(f"HTTP {status}")
    vars(error)["response"] = SimpleNamespace(
        status_code=status, headers={name.replace("_", "-"): headers[name] for name in headers}
    )
    return error


def _urllib(status: int, **headers: str) -> Exception:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return urllib.error.HTTPError("http://x", status, "no", message, None)


def _aiohttp(status: int) -> Exception:
    error = RuntimeError()
    vars(error)["status"] = status
    return error


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (_http(503), ServerError),
        (_urllib(503), ServerError),
        (_aiohttp(404), NotFoundError),
        (_http(422), ClientError),
        (TimeoutError(), ServiceTimeoutError),
        (ConnectionRefusedError(), NetworkError),
        (ValueError("odd"), UnknownError),
        (_aiohttp(200), UnknownError),
        (RateLimitError("ours", retry_after=3.0), RateLimitError),
    ],
)
@pytest.mark.parametrize("bench_kind", KINDS)
def test_what_it_raises_is_classified_and_kept_as_the_cause(bench_kind: str, raised: Exception, kind: type[ServiceError]) -> None:
    bench = Bench(bench_kind)
    with pytest.raises(kind) as caught:
        bench.call(raised)
    assert caught.value is raised or caught.value.__cause__ is raised
    assert caught.value.service == "openai"
    assert bench.rows.only.error_type == kind.error_type


def test_a_page_error_passes() -> None:
    bench = Bench()
    with pytest.raises(NoDataError):
        bench.call(NoDataError("nothing"))


@pytest.mark.parametrize(
    "raised",
    [
        _http(429, retry_after="7"),
        _urllib(503, Retry_After="7"),
        _http(429, X_RateLimit_Remaining_Requests="0", X_RateLimit_Reset_Requests="7s"),
        _urllib(429, x_ratelimit_remaining="0", x_ratelimit_reset="7", retry_after="1"),
        _http(429, x_ratelimit_remaining="3", x_ratelimit_reset="60", retry_after="7"),
    ],
)
def test_retry_after_of_a_client_librarys_error_is_honoured(raised: Exception) -> None:
    bench = Bench(idempotent=True)
    assert bench.call(raised, 1) == 1
    assert bench.clock.slept == [7.0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_breaker_opens_and_refuses_without_a_call(kind: str) -> None:
    bench = Bench(kind)
    for _ in range(5):
        with pytest.raises(ServerError):
            bench.call(_http(500))
    with pytest.raises(CircuitOpenError):
        bench.call()
    assert bench.rows.brief[-1] == (False, "circuit_open", 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_of_a_spec_given_is_kept(kind: str) -> None:
    bench = Bench(kind)
    spec = ServiceSpec("openai", base_url="https://api.openai.com", rate_per_second=0.5)
    for _ in range(3):
        bench.call(1, name=spec)
    assert bench.clock.slept == [2.0, 2.0]


def test_an_async_function_is_cancelled_at_the_timeout() -> None:
    bench = Bench(clock=PatientClock(patience=0.02))
    gone = []

    @guarded(ServiceSpec("slow", base_url="", timeout=2.0), services=bench.services)
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            gone.append(bench.clock.monotonic())

    with pytest.raises(ServiceTimeoutError):
        asyncio.run(hang())
    assert gone == [2.0]
    assert bench.rows.brief == [(False, "timeout", 1)]


def test_threads_share_one_breaker_and_none_waits_for_anothers_call() -> None:
    """Twenty calls that all have to be under way at once: a lock held across a call would leave them waiting for ever."""
    bench = Bench()
    together = threading.Barrier(20, timeout=5.0)

    @guarded("openai", services=bench.services)
    def meet() -> None:
        together.wait()
        raise ConnectionResetError

    def call() -> None:
        with pytest.raises(NetworkError):
            meet()

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)
    assert bench.rows.brief == [(False, "network_error", 1)] * 20
    assert bench.services.breaker_state("openai") == "open"


@pytest.mark.parametrize("kind", KINDS)
def test_who_waits_for_the_rate_feels_the_breaker_open(kind: str) -> None:
    bench = Bench(kind)
    spec = ServiceSpec("openai", base_url="", rate_per_second=1.0)
    bench.call(1, name=spec)

    class Opening(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.pause(seconds)

        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            bench.services.state("openai").breaker.force_open()

    bench.services.clock = Opening()
    with pytest.raises(CircuitOpenError):
        bench.call(name=spec)
