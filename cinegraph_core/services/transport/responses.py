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
    _rewind(response)
    return response


async def read_whole(response: httpx.Response) -> None:
    """Read and decode the body of a response; a caller who streams it finds it there, as it came and decoded."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - it comes of an asynchronous transport
    try:
        response.stream = httpx.ByteStream(b"".join([part async for part in stream]))
    finally:
        await stream.aclose()
    response.read()
    _rewind(response)


def _rewind(response: httpx.Response) -> None:
    response.is_stream_consumed = response.is_closed = False


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
