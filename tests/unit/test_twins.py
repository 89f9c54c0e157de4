"""Errors that are a client library's as well: caught by its name, copied, and sent to another process."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import httpx
import pytest
from scrapy.exceptions import IgnoreRequest

from cinegraph_core.errors import ClientError, LayoutChangedError, RateLimitError, ServerError
from cinegraph_core.services.transport.responses import as_httpx
from cinegraph_core.services.twins import also

REQUEST = httpx.Request("GET", "https://films.example/film")


def through_pickle(error: Any) -> Any:
    return pickle.loads(pickle.dumps(error))


WAYS = [through_pickle, copy.copy, copy.deepcopy]


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_is_both_kinds_and_has_all_that_the_error_had(way: Callable[[Any], Any]) -> None:
    error = RateLimitError("slow", service="films", url="https://films.example/film", status=429, retry_after=7.0)
    error.sent, error.spent, error.provenance = False, "day", "live"
    as_httpx(error, REQUEST, httpx.Response(429, json={"why": "too many"}))
    twin = way(error)
    assert type(twin) is type(error)
    assert isinstance(twin, RateLimitError)
    assert isinstance(twin, httpx.HTTPStatusError)
    assert str(twin) == "slow"
    assert (twin.service, twin.url, twin.status, twin.retry_after) == ("films", "https://films.example/film", 429, 7.0)
    assert (twin.sent, twin.spent, twin.provenance) == (False, "day", "live")
    assert twin.request.url == REQUEST.url
    assert twin.response.json() == {"why": "too many"}


@pytest.mark.parametrize("way", WAYS)
def test_an_error_of_three_kinds_stays_one(way: Callable[[Any], Any]) -> None:
    error = also(also(ServerError("away", status=500), httpx.ConnectError), IgnoreRequest)
    twin = way(error)
    assert isinstance(twin, ServerError)
    assert isinstance(twin, httpx.ConnectError)
    assert isinstance(twin, IgnoreRequest)
    assert (type(twin).__name__, str(twin), twin.status) == ("ServerError", "away", 500)


def test_what_is_of_that_kind_already_stays_as_it_is() -> None:
    error = also(LayoutChangedError("no cards"), IgnoreRequest)
    kind = type(error)
    assert type(also(error, IgnoreRequest)) is kind
    assert type(also(LayoutChangedError("others"), IgnoreRequest)) is kind


def fail() -> None:
    """Fail in another process as a request of a client does."""
    error = ClientError("wrong", status=422)
    as_httpx(error, REQUEST, httpx.Response(422))
    raise error


def test_it_comes_back_from_a_pool_of_processes() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, pytest.raises(httpx.HTTPStatusError) as caught:
        pool.submit(fail).result(30.0)
    assert isinstance(caught.value, ClientError)
    assert caught.value.status == 422
