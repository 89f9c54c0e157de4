"""What a client library raised, as one of our errors."""

from __future__ import annotations

from cinegraph_core.errors import PageError, RateLimitError, ServerError, ServiceError, classify, from_status
from cinegraph_core.resilience.quota import calls_left
from cinegraph_core.resilience.retry import parse_retry_after

_STATUS = ("status_code", "status", "code")
"""Where client libraries keep the HTTP status of an error: httpx, requests and openai; aiohttp; urllib."""


def ours(error: Exception, service: str, now: float) -> ServiceError | PageError:
    """Return a client library's error as one of ours: by the HTTP status it carries, else by its class."""
    response = getattr(error, "response", None)
    status = next((one for one in (_status(error), _status(response)) if one is not None), None)
    mapped = None if status is None or isinstance(error, ServiceError | PageError) else from_status(status, service=service)
    if mapped is None:
        return classify(error, service=service)
    mapped.__cause__ = error
    if isinstance(mapped, RateLimitError | ServerError):
        mapped.retry_after = _pause(getattr(error if response is None else response, "headers", None), now)
    return mapped


def _pause(headers: object, now: float) -> float | None:
    """Return the seconds that headers ask for: until the reset of a quota of which nothing is left, else by Retry-After."""
    items = getattr(headers, "items", None)
    if items is None:
        return None
    named = {str(name).lower(): str(value) for name, value in items()}
    left = calls_left(named, now)
    return left.until - now if left is not None and left.calls == 0 else parse_retry_after(named.get("retry-after"), now)


def _status(thing: object) -> int | None:
    return next((value for name in _STATUS if isinstance(value := getattr(thing, name, None), int)), None)
