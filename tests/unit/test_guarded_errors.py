"""What a guarded function raised is caught by the name its client gave it; refusals and timeouts of the door, too."""

from __future__ import annotations

import asyncio
import copy
import pickle
import urllib.error
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import Message
from typing import Any

import pytest

from cinegraph_core import ServiceSpec, guarded
from cinegraph_core.errors import (
    BulkheadFullError,
    CircuitOpenError,
    ConfigurationError,
    NetworkError,
    PageError,
    QuotaExceededError,
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


class VendorError(Exception):
    """What a client library raises, with a word of its own for what ours have too."""

    def __init__(self, *, status: int, hint: str) -> None:
        self.status_code, self.hint = status, hint

    @property
    def retry_after(self) -> str:
        return "soon"

    def __str__(self) -> str:
        return f"{self.status_code}: {self.hint}"


class SlottedError(Exception):
    """One that keeps what it has to say elsewhere."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class VendorAwayError(OSError):
    """What a client library raises where its service is away."""


class UniqueError(Exception):
    """One that no class may be derived from."""

    def __init_subclass__(cls) -> None:
        raise RuntimeError("no")


def door() -> Services:
    return open_door(clock=FakeClock(), rows=Rows())


def raising(error: BaseException) -> Callable[[], Any]:
    def work() -> Any:
        raise error

    return work


def ended(error: BaseException, services: Services | None = None, **options: Any) -> Any:
    """Return what a guarded function that raises this ends with."""
    with pytest.raises((ServiceError, PageError)) as caught:
        guarded("openai", services=services or door(), **options)(raising(error))()
    return caught.value


def missing(url: str) -> urllib.error.HTTPError:
    return urllib.error.HTTPError(url, 503, "Unavailable", Message(), None)


RAISED: list[tuple[Exception, type[ServiceError]]] = [
    (VendorError(status=429, hint="slow down"), RateLimitError),
    (SlottedError(500), ServerError),
    (TimeoutError("slow"), ServiceTimeoutError),
    (ConnectionRefusedError(111, "refused", "a.example"), NetworkError),
    (missing("https://a.example"), ServerError),
    (UnicodeEncodeError("ascii", "é", 0, 1, "no"), UnknownError),
    (KeyError("id"), UnknownError),
    (ValueError("odd"), UnknownError),
]


@pytest.mark.parametrize(("raised", "ours"), RAISED)
def test_what_was_raised_is_caught_by_its_own_name_and_by_ours(raised: Exception, ours: type[ServiceError]) -> None:
    error = ended(raised)
    assert isinstance(error, type(raised))
    assert isinstance(error, ours)
    assert type(error).__name__ == ours.__name__
    assert error.__cause__ is raised
    assert error.service == "openai"


class UnreachableError(Exception):
    """What a client library raises in place of its transport's error."""


def test_an_outage_that_the_client_wraps_is_tried_again_and_opens_the_breaker() -> None:
    rows = Rows()
    services = open_door(clock=FakeClock(), rows=rows)
    away = UnreachableError("Connection error.")
    away.__cause__ = ConnectionResetError("reset")
    assert isinstance(ended(away, services, idempotent=True), UnreachableError)
    assert isinstance(ended(away, services), NetworkError)
    assert rows.brief == [(False, "network_error", 4), (False, "network_error", 1)]
    assert services.breaker_state("openai") == "open"


@pytest.mark.parametrize("number", [99, 600, 1045, 11000])
def test_a_number_that_is_no_http_status_is_none(number: int) -> None:
    error = ended(SlottedError(number))
    assert (type(error).__name__, error.status) == ("UnknownError", None)


def test_a_number_of_the_clients_own_does_not_hide_the_status() -> None:
    raised = SlottedError(11000)
    vars(raised)["response"] = VendorError(status=503, hint="away")
    assert ended(raised).status == 503
    both = VendorError(status=1, hint="their own")
    vars(both)["code"] = 429
    assert isinstance(ended(both), RateLimitError)


WAYS: list[Callable[[Any], Any]] = [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("raised", "ours"), RAISED)
def test_a_copy_is_both_too(raised: Exception, ours: type[ServiceError], way: Callable[[Any], Any]) -> None:
    error = ended(raised)
    twin = way(error)
    assert type(twin) is type(error)
    assert (str(twin), twin.service, twin.status) == (str(error), "openai", error.status)


def test_it_says_of_itself_what_the_original_said() -> None:
    refused = ended(ConnectionRefusedError(111, "refused", "a.example"))
    assert (refused.errno, refused.strerror, refused.filename) == (111, "refused", "a.example")
    assert str(refused) == "ConnectionRefusedError: [Errno 111] refused: 'a.example'"
    slotted = pickle.loads(pickle.dumps(ended(SlottedError(500))))
    assert slotted.code == 500
    http = ended(missing("https://a.example"))
    assert (http.code, http.reason, http.status) == (503, "Unavailable", 503)
    vendor = ended(VendorError(status=429, hint="slow down"))
    assert (vendor.hint, str(vendor)) == ("slow down", "HTTP 429 from openai")
    assert vendor.retry_after is None, "where both have a word for it, ours stands"


def test_one_that_holds_what_cannot_be_pickled_travels_as_ours() -> None:
    raised = VendorError(status=503, hint="away")
    vars(raised)["connection"] = lambda: None
    twin: Any = pickle.loads(pickle.dumps(ended(raised)))
    assert (type(twin), vars(twin)["status"], vars(twin)["hint"]) == (ServerError, 503, "away")


@pytest.mark.parametrize("raised", [UniqueError("x"), ExceptionGroup("many", [ValueError()]), StopIteration(1)])
def test_what_cannot_be_both_is_ours_alone(raised: Exception) -> None:
    error = ended(raised)
    assert type(error) is UnknownError
    assert error.__cause__ is raised


def test_an_async_function_may_end_with_stop_iteration() -> None:
    async def work() -> None:
        raise StopAsyncIteration

    with pytest.raises(UnknownError):
        asyncio.run(guarded("openai", services=door())(work)())


KINDS = ["sync", "async", "stream", "async stream"]


def calling(kind: str, work: Callable[[], Any], **options: Any) -> Callable[[], Any]:
    """Return a call of a guarded function of this kind that does this."""

    async def work_later() -> Any:
        return work()

    def stream() -> Iterator[Any]:
        yield work()

    async def stream_later() -> AsyncIterator[Any]:
        yield work()

    async def read(parts: AsyncIterator[Any]) -> list[Any]:
        return [part async for part in parts]

    if kind == "sync":
        return guarded("openai", **options)(work)
    if kind == "async":
        later = guarded("openai", **options)(work_later)
        return lambda: asyncio.run(later())
    if kind == "stream":
        parts = guarded("openai", **options)(stream)
        return lambda: list(parts())
    parts_later = guarded("openai", **options)(stream_later)
    return lambda: asyncio.run(read(parts_later()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("refused_as", [ConnectionError, VendorAwayError, VendorError])
def test_a_refusal_is_what_the_client_calls_one(kind: str, refused_as: type[Exception]) -> None:
    services = door()
    call = calling(kind, raising(VendorError(status=500, hint="away")), services=services, refused_as=refused_as)
    for _ in range(5):
        with pytest.raises(ServerError) as caught:
            call()
        kinds: tuple[type, ...] = type(caught.value).__mro__
        assert VendorError in kinds
        assert ConnectionError not in kinds, "the service answered"
    with pytest.raises(refused_as) as refused:
        call()
    assert isinstance(refused.value, CircuitOpenError)
    assert (refused.value.service, refused.value.retry_after) == ("openai", 60.0)
    assert "keeps failing" in str(pickle.loads(pickle.dumps(refused.value)))


def test_every_refusal_is_one() -> None:
    services = door()
    services.adopt(ServiceSpec("openai", base_url="", max_concurrent=1, max_waiting=0))
    services.adopt(ServiceSpec("omdb", base_url="", hourly_quota=0))

    @guarded("openai", services=services)
    def again() -> Any:
        return again()

    with pytest.raises(ConnectionError) as full:
        again()
    assert isinstance(full.value, BulkheadFullError)
    with pytest.raises(ConnectionError) as spent:
        guarded("omdb", services=services)(lambda: 1)()
    assert isinstance(spent.value, QuotaExceededError)
    services.state("openai").hold(services.clock.monotonic() + 3600.0)
    with pytest.raises(ConnectionError) as held:
        guarded("openai", services=services)(lambda: 1)()
    assert isinstance(held.value, RateLimitError)


def test_a_timeout_of_the_door_is_a_timeout_error() -> None:
    services = open_door(clock=PatientClock(patience=0.02), rows=Rows())

    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as slow:
        asyncio.run(guarded(ServiceSpec("slow", base_url="", timeout=2.0), services=services)(hang)())
    assert isinstance(slow.value, ServiceTimeoutError)
    rare = guarded(ServiceSpec("rare", base_url="", rate_per_second=0.001), services=door())(lambda: 1)
    rare()
    with pytest.raises(TimeoutError, match="the rate limit has no place"):
        rare()


@pytest.mark.parametrize("refused_as", [int, "openai", UniqueError])
def test_what_is_no_class_of_errors_is_refused_at_once(refused_as: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"@guarded\(refused_as=.* such as ConnectionError"):
        guarded("openai", refused_as=refused_as)
