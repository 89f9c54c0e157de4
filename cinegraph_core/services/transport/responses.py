"""What callers who speak httpx get: a kept answer as a response, our errors as exceptions of httpx too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx

from cinegraph_core.errors import ConfigurationError, InvalidResponseError, NetworkError, ServiceError, ServiceTimeoutError
from cinegraph_core.services.service_client import CALL
from cinegraph_core.services.transport.unpacking import unpacked
from cinegraph_core.services.twins import also
from cinegraph_core.services.verdicts import Done

_OF_THE_WAY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers of a body as it came; the body of an :class:`Answer` is unpacked."""


def rebuilt(request: httpx.Request, done: Done) -> httpx.Response:
    """Return an answer that another request brought as a response."""
    answer = done.answer
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items() if name not in _OF_THE_WAY]
    response = httpx.Response(answer.status, headers=headers, content=answer.body, request=request, extensions={CALL: done})
    response.elapsed = timedelta(0)
    _rewind(response)
    return response


async def read_whole(response: httpx.Response) -> None:
    """Read and unpack the body of a response; a caller who streams it finds it there, as it came and unpacked.

    Raises :class:`InvalidResponseError` for a body that cannot be unpacked.
    """
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - it comes of an asynchronous transport
    try:
        body = b"".join([part async for part in stream])
    finally:
        await stream.aclose()
    response.stream = httpx.ByteStream(body)
    if "content-encoding" in response.headers:
        codings = response.headers.get_list("content-encoding", split_commas=True)
        # What read() leaves behind, which unpacks all at once.
        response.__dict__.update(_content=await unpacked(body, codings), _num_bytes_downloaded=len(body))
    else:
        response.read()
    _rewind(response)


def conceal(response: httpx.Response, redact: Callable[[str], str]) -> None:
    """Mask what a service sends back of our key, such as in the address it redirects to."""
    headers = [
        # An Accept that a service wants beside its key is no secret.
        (name, value if name.lower() == b"content-type" else redact(value.decode("latin-1")).encode("latin-1"))
        for name, value in response.headers.raw
    ]
    if headers != response.headers.raw:
        response.headers = httpx.Headers(headers)


def _rewind(response: httpx.Response) -> None:
    response.is_stream_consumed = response.is_closed = False


def as_httpx(error: ServiceError | ConfigurationError, request: httpx.Request, response: httpx.Response | None = None) -> None:
    """Let what speaks httpx catch the error: by its status, as a timeout, or as a service that cannot be reached."""
    if isinstance(error, httpx.HTTPError):
        return
    if isinstance(error, ServiceTimeoutError):
        kind: type[httpx.HTTPError] = httpx.TimeoutException
    elif isinstance(error, InvalidResponseError):
        kind = httpx.DecodingError
    elif isinstance(error, ConfigurationError):
        kind = httpx.UnsupportedProtocol  # the one that says: such an address is not asked
    elif response is not None:
        kind = httpx.HTTPStatusError
    else:
        kind = httpx.NetworkError if isinstance(error, NetworkError) and error.sent else httpx.ConnectError
    twin = also(error, kind)
    twin.__dict__.update(_request=request, response=response)
    if response is not None:
        response.request = request
