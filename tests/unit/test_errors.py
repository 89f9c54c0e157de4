"""The one classifier: whatever the outside raises or answers gets one of our words."""

from __future__ import annotations

import asyncio
import copy
import inspect
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
