"""What callers who speak httpx get: a kept answer as a response, our errors as exceptions of httpx too."""

from __future__ import annotations

from datetime import timedelta

import httpx

from cinegraph_core.errors import InvalidResponseError, NetworkError, ServiceError, ServiceTimeoutError
from cinegraph_core.services.service_client import CALL
from cinegraph_core.services.twins import also
from cinegraph_core.services.verdicts import Done


def rebuilt(request: httpx.Request, done: Done) -> httpx.Response:
    """Return a kept answer as a response."""
    answer = done.answer
    response = httpx.Response(
        answer.status, headers=dict(answer.headers), content=answer.body, request=request, extensions={CALL: done}
    )
    response.elapsed = timedelta(0)
    return response


def as_httpx(error: ServiceError, request: httpx.Request, response: httpx.Response | None = None) -> None:
    """Let what speaks httpx catch the error: by its status, as a timeout, or as a service that cannot be reached."""
    if isinstance(error, httpx.HTTPError):
        return
    if isinstance(error, ServiceTimeoutError):
        kind: type[httpx.HTTPError] = httpx.TimeoutException
    elif isinstance(error, InvalidResponseError):
        kind = httpx.DecodingError
    elif response is not None:
        kind = httpx.HTTPStatusError
    else:
        kind = httpx.NetworkError if isinstance(error, NetworkError) and error.sent else httpx.ConnectError
    twin = also(error, kind)
    twin.__dict__.update(_request=request, response=response)
    if response is not None:
        response.request = request
