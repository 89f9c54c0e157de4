"""The one classifier: whatever the outside raises or answers gets one of our words."""

from __future__ import annotations

import asyncio
import copy
import http.client
import inspect
import itertools
import json
import pickle
import re
from collections.abc import Callable

import httpx
import pytest
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from twisted.internet.error import ConnectionLost
from twisted.internet.error import TimeoutError as UserTimeoutError

from cinegraph_core import errors
from cinegraph_core.errors import ERROR_TYPES, CinegraphError, PageError, ServiceError, classify, from_status


@pytest.mark.parametrize(
    ("raised", "error_type", "sent"),
    [
        (httpx.ReadTimeout("slow"), "timeout", True),
        (httpx.ConnectTimeout("slow"), "timeout", False),
        (httpx.ConnectError("refused"), "network_error", False),
        (httpx.ReadError("reset"), "network_error", True),
        (httpx.RemoteProtocolError("cut"), "network_error", True),
        (httpx.UnsupportedProtocol("gopher"), "client_error", False),
        (DownloadTimeoutError("slow"), "timeout", True),
        (DownloadConnectionRefusedError("refused"), "network_error", False),
        (CannotResolveHostError("who?"), "network_error", False),
        (DownloadCancelledError("larger than DOWNLOAD_MAXSIZE"), "client_error", True),
        (IgnoreRequest("robots"), "cancelled", True),
        (ConnectionLost("gone"), "network_error", True),
        (asyncio.CancelledError(), "cancelled", True),
        (TimeoutError("slow"), "timeout", True),
        (ConnectionRefusedError("refused"), "network_error", False),
        (ConnectionResetError("reset"), "network_error", True),
        (json.JSONDecodeError("what", "<html>", 0), "invalid_response", True),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "invalid_response", True),
        (ZeroDivisionError("ours"), "unknown", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_the_libraries_raise_gets_our_word(raised: BaseException, error_type: str, sent: bool) -> None:
    mapped = classify(raised, service="tmdb", url="https://example.org/x")

    assert isinstance(mapped, ServiceError)
    assert (mapped.error_type, mapped.sent) == (error_type, sent)
    assert (mapped.service, mapped.url) == ("tmdb", "https://example.org/x")
    assert type(raised).__name__ in str(mapped)


def named(name: str, *kinds: type[Exception]) -> type[Exception]:
    """Return an error class as a client library that is not installed here names it."""
    module, _, kind = name.rpartition(".")
    return type(kind, kinds or (Exception,), {"__module__": module})


URLLIB3_TIMEOUT = named("urllib3.exceptions.TimeoutError")
AIOHTTP_CONNECTION = named("aiohttp.client_exceptions.ClientConnectionError")
AIOHTTP_CONNECTOR = named("aiohttp.client_exceptions.ClientConnectorError", AIOHTTP_CONNECTION, OSError)
AIOHTTP_SLOW = named("aiohttp.client_exceptions.ServerTimeoutError", AIOHTTP_CONNECTION, TimeoutError)
HTTPX2_TRANSPORT = named("httpx2.TransportError")


@pytest.mark.parametrize(
    ("kind", "error_type", "sent"),
    [
        (named("urllib3.exceptions.ReadTimeoutError", URLLIB3_TIMEOUT), "timeout", True),
        (named("urllib3.exceptions.ConnectTimeoutError", URLLIB3_TIMEOUT), "timeout", False),
        (named("urllib3.exceptions.NewConnectionError", URLLIB3_TIMEOUT), "network_error", False),
        (named("urllib3.exceptions.ProtocolError"), "network_error", True),
        (named("aiohttp.client_exceptions.ClientPayloadError"), "network_error", True),
        (named("aiohttp.client_exceptions.ServerDisconnectedError", AIOHTTP_CONNECTION), "network_error", True),
        (AIOHTTP_CONNECTOR, "network_error", False),
        (named("aiohttp.client_exceptions.SocketTimeoutError", AIOHTTP_SLOW), "timeout", True),
        (named("aiohttp.client_exceptions.ConnectionTimeoutError", AIOHTTP_SLOW), "timeout", False),
        (named("requests.exceptions.ReadTimeout", named("requests.exceptions.Timeout", OSError)), "timeout", True),
        (named("requests.exceptions.ConnectTimeout", named("requests.exceptions.Timeout", OSError)), "timeout", False),
        (named("requests.exceptions.ConnectionError", OSError), "network_error", True),
        (named("httpx2.ReadTimeout", named("httpx2.TimeoutException", HTTPX2_TRANSPORT)), "timeout", True),
        (named("httpx2.ConnectError", HTTPX2_TRANSPORT), "network_error", False),
        (http.client.IncompleteRead, "network_error", True),
        (http.client.BadStatusLine, "network_error", True),
    ],
)
def test_what_other_clients_raise_gets_our_word_too(kind: type[Exception], error_type: str, sent: bool) -> None:
    mapped = classify(kind(b"what happened"))

    assert isinstance(mapped, ServiceError)
    assert (mapped.error_type, mapped.sent) == (error_type, sent)


def raised_from(*chain: BaseException) -> BaseException:
    """Return the first of these errors, each of which came of the next one."""
    for error, cause in itertools.pairwise(chain):
        error.__cause__ = cause
    return chain[0]


VENDOR = named("openai.APIConnectionError")
RETRIES_OVER = named("urllib3.exceptions.MaxRetryError")
READ_TIMEOUT = named("urllib3.exceptions.ReadTimeoutError", URLLIB3_TIMEOUT)


@pytest.mark.parametrize(
    ("chain", "error_type", "sent"),
    [
        ((VENDOR("away"), httpx.ConnectError("refused")), "network_error", False),
        ((VENDOR("away"), httpx.ReadTimeout("slow")), "timeout", True),
        ((VENDOR("away"), httpx.RemoteProtocolError("cut")), "network_error", True),
        ((RETRIES_OVER("many"), READ_TIMEOUT("slow"), TimeoutError()), "timeout", True),
        ((VENDOR("away"), RuntimeError("odd"), ConnectionRefusedError()), "network_error", False),
        ((DownloadTimeoutError("slow"), UserTimeoutError()), "timeout", True),  # type: ignore[no-untyped-call]
        ((VENDOR("away"), KeyError("id")), "unknown", True),
        ((VENDOR("away"), asyncio.CancelledError()), "unknown", True),
        ((TimeoutError(), asyncio.CancelledError()), "timeout", True),
    ],
)
def test_what_a_client_raises_from_tells_what_befell_it(chain: tuple[BaseException, ...], error_type: str, sent: bool) -> None:
    mapped = classify(raised_from(*chain), service="openai")

    assert isinstance(mapped, ServiceError)
    assert (mapped.error_type, mapped.sent) == (error_type, sent)
    assert mapped.__cause__ is chain[0]
    assert str(mapped).startswith(type(chain[0]).__name__)


def test_a_bug_beside_an_error_that_was_dealt_with_is_no_outage() -> None:
    bug = KeyError("id")
    bug.__context__ = httpx.ReadTimeout("slow")

    assert classify(bug).error_type == "unknown"


def test_the_refusal_of_another_service_is_not_this_ones_outage() -> None:
    refused = type("Refused", (errors.CircuitOpenError, ConnectionRefusedError), {})("tmdb is out of use")

    assert classify(raised_from(VENDOR("no film"), refused)).error_type == "unknown"


def test_errors_that_came_of_each_other_come_to_an_end() -> None:
    error, other = VENDOR("away"), VENDOR("again")

    assert classify(raised_from(error, other, error)).error_type == "unknown"


def test_an_exception_without_words_is_given_some() -> None:
    assert str(classify(httpx.ReadError(""))) == "ReadError: The connection failed: refused, reset, or no such host"


@pytest.mark.parametrize(
    ("status", "error_type", "transient", "trips"),
    [
        (400, "client_error", False, False),
        (401, "auth_error", False, False),
        (403, "auth_error", False, False),
        (404, "not_found", False, False),
        (410, "not_found", False, False),
        (408, "timeout", True, True),
        (429, "rate_limit", True, False),
        (500, "server_error", True, True),
        (503, "server_error", True, True),
    ],
)
def test_lesson_22_a_permanent_error_is_neither_retried_nor_held_against_the_service(
    status: int, error_type: str, transient: bool, trips: bool
) -> None:
    error = from_status(status, service="omdb")

    assert error is not None
    assert (error.error_type, error.transient, error.trips, error.status) == (error_type, transient, trips, status)


@pytest.mark.parametrize("status", [200, 202, 204, 301, 304])
def test_a_proper_answer_is_no_error(status: int) -> None:
    assert from_status(status) is None


def test_our_own_errors_pass_unchanged() -> None:
    error = errors.LayoutChangedError("no cards", url="https://example.org")

    assert classify(error) is error


def _tree() -> dict[str, type[CinegraphError]]:
    classes = inspect.getmembers(errors, inspect.isclass)
    return {name: cls for name, cls in classes if issubclass(cls, CinegraphError)}


def test_lesson_03_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = set(re.findall(r"([A-Z]\w+Error)\b", (errors.__doc__ or "").split("Each class")[0]))

    assert drawn == set(_tree())


def test_every_error_type_has_its_class_and_every_class_its_type() -> None:
    types = {cls.error_type for cls in _tree().values() if issubclass(cls, ServiceError | PageError)}

    assert types == ERROR_TYPES


@pytest.mark.parametrize("kind", sorted(set(_tree().values()), key=str), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_every_error_can_be_copied_and_sent_to_another_process(
    kind: type[CinegraphError], way: Callable[[CinegraphError], CinegraphError]
) -> None:
    error = kind("what happened")
    error.__dict__.update(service="tmdb", status=503)

    twin = way(error)

    assert (type(twin), str(twin), twin.__dict__) == (kind, "what happened", error.__dict__)
