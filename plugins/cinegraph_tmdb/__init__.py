"""TMDb: the service and, as plugins of their own under ``levels``, the six ways of looking a film up."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cinegraph_core import ServiceSpec, hookimpl
from cinegraph_core.contracts import Answer, Credentials
from cinegraph_core.errors import (
    AuthError,
    ClientError,
    InvalidResponseError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ServiceError,
)

SERVICE = "tmdb"
FILES = "tmdb_files"
"""Where TMDb publishes its daily lists of ids."""

# TMDb's own status codes, which some proxies deliver with HTTP 200.
_CODES: dict[int, type[ServiceError]] = {
    6: NotFoundError,
    7: AuthError,
    9: ServerError,
    10: AuthError,
    11: ServerError,
    14: AuthError,
    25: RateLimitError,
    34: NotFoundError,
    46: ServerError,
}


def authenticate(key: str) -> Credentials:
    """Return a v4 token (a JWT) as a Bearer header, a v3 key as ``api_key``; the service takes neither the other way."""
    if key.startswith("eyJ"):
        return Credentials(headers={"Authorization": f"Bearer {key}"})
    return Credentials(params={"api_key": key})


def judge(answer: Answer) -> ServiceError | None:
    """Find the errors that HTTP hides: a page where JSON should be (also with 404), or an error object with status 200."""
    if answer.status >= 400 and answer.status != 404:
        return None
    try:
        body = json.loads(answer.body)
    except ValueError:
        return InvalidResponseError(f"TMDb sent no JSON with HTTP {answer.status}", service=SERVICE, url=answer.url)
    if answer.status < 400 and isinstance(body, dict) and body.get("success") is False:
        kind = _CODES.get(body.get("status_code", 0), ClientError)
        return kind(f"TMDb says: {body.get('status_message', 'no reason')}", service=SERVICE, url=answer.url)
    return None


@hookimpl
def service() -> Iterator[ServiceSpec]:
    """Register TMDb v3, which since December 2019 allows some 40 to 50 requests a second, and its lists of ids."""
    yield ServiceSpec(
        name=SERVICE,
        base_url="https://api.themoviedb.org/3",
        timeout=5.0,
        rate_per_second=40.0,
        needs_key=True,
        authenticate=authenticate,
        judge=judge,
        probe="/configuration",
    )
    # The daily lists are some 20 MB, on a file server that speaks plain HTTP.
    yield ServiceSpec(name=FILES, base_url="http://files.tmdb.org", timeout=300.0, deadline=900.0)
