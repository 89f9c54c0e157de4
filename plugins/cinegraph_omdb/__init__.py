"""OMDb: the service, and what its answers really say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

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

SERVICE = "omdb"

# Only the text tells these apart: the first two both come with HTTP 401, all others with HTTP 200.
_ERRORS: dict[str, type[ServiceError]] = {
    "request limit reached!": RateLimitError,
    "invalid api key!": AuthError,
    "no api key provided.": AuthError,
    "movie not found!": NotFoundError,
    "series not found!": NotFoundError,
    "series or episode not found!": NotFoundError,
    "incorrect imdb id.": NotFoundError,
    "too many results.": ClientError,
    "error getting data.": ServerError,
}


def authenticate(key: str) -> Credentials:
    """Return the key as OMDb takes it: in the query."""
    return Credentials(params={"apikey": key})


def judge(answer: Answer) -> ServiceError | None:
    """Read the error in OMDb's body, whatever HTTP says; 5xx and 429 speak for themselves."""
    if answer.status == 429 or answer.status >= 500:
        return None
    body = _json(answer)
    if not isinstance(body, dict) or "Response" not in body:
        if answer.status >= 400 and answer.status != 404:
            return None
        return InvalidResponseError(
            f"OMDb's answer with HTTP {answer.status} is not what it sends", service=SERVICE, url=answer.url
        )
    if body["Response"] == "True":
        return None
    text = str(body.get("Error", "")).strip()
    kind = _ERRORS.get(text.casefold(), ClientError)
    error = kind(f"OMDb says: {text or 'no reason'}", service=SERVICE, url=answer.url)
    if isinstance(error, RateLimitError):
        error.spent = "day"  # OMDb sends no header that tells when its day ends
    return error


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


@hookimpl
def service() -> Iterator[ServiceSpec]:
    """Register OMDb; its free keys allow 1,000 calls a day."""
    yield ServiceSpec(
        name=SERVICE,
        base_url="https://www.omdbapi.com",
        needs_key=True,
        authenticate=authenticate,
        judge=judge,
        probe="/?i=tt0111161",
    )
