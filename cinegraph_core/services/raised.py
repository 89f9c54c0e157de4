"""What a client library raised, as one of our errors; and what the door raises in its place, in the words of that library."""

from __future__ import annotations

from typing import TypeVar

from cinegraph_core.errors import (
    PageError,
    RateLimitError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
    classify,
    from_status,
)
from cinegraph_core.resilience.quota import calls_left
from cinegraph_core.resilience.retry import parse_retry_after
from cinegraph_core.services.twins import also, is_twin, take_after

T = TypeVar("T", bound=ServiceError | PageError)
_STATUS = ("status_code", "status", "code")
"""Where client libraries keep the HTTP status of an error: httpx, requests and openai; aiohttp; urllib.

Others keep numbers of their own there, such as a database's 11000.
"""
_STATUSES = range(100, 600)


def ours(error: Exception, service: str, now: float) -> ServiceError | PageError:
    """Return a client library's error as one of ours: by the HTTP status it carries, else by its class.

    It is an instance of its own class too, with what it says of itself, unless that class cannot be combined.
    """
    if isinstance(error, ServiceError | PageError):
        return error
    response = getattr(error, "response", None)
    status = next((one for one in (_status(error), _status(response)) if one is not None), None)
    mapped = None if status is None else from_status(status, service=service)
    if mapped is None:
        return _both(classify(error, service=service), error)
    mapped.__cause__ = error
    if isinstance(mapped, RateLimitError | ServerError):
        mapped.retry_after = _pause(getattr(error if response is None else response, "headers", None), now)
    return _both(mapped, error)


def as_theirs(error: BaseException, refused_as: type[Exception], *, refused: bool) -> None:
    """Make a timeout of the door a :class:`TimeoutError` too, and a refusal what the client calls one.

    Where the error itself cannot be made so, the copy that can is raised.
    """
    if not isinstance(error, ServiceError) or is_twin(error):
        return
    is_timeout = isinstance(error, ServiceTimeoutError)
    if is_timeout or refused:
        twin = also(error, TimeoutError if is_timeout else refused_as)
        if twin is not error:
            raise twin from error.__cause__


def _both(mapped: T, error: Exception) -> T:
    if isinstance(error, StopIteration | StopAsyncIteration):  # neither may leave a generator or a coroutine
        return mapped
    try:
        twin = also(mapped, type(error))
        take_after(twin, error)
    except Exception:  # noqa: BLE001 - whatever a class raises that will not be combined
        return mapped
    return twin


def _pause(headers: object, now: float) -> float | None:
    """Return the seconds that headers ask for: until the reset of a quota of which nothing is left, else by Retry-After."""
    items = getattr(headers, "items", None)
    if items is None:
        return None
    named = {str(name).lower(): str(value) for name, value in items()}
    left = calls_left(named, now)
    return left.until - now if left is not None and left.calls == 0 else parse_retry_after(named.get("retry-after"), now)


def _status(thing: object) -> int | None:
    said = (getattr(thing, name, None) for name in _STATUS)
    return next((value for value in said if isinstance(value, int) and value in _STATUSES), None)
