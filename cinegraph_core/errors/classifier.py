"""The one classifier: what an HTTP status stands for, and which of our errors an exception of the outside world is."""

from __future__ import annotations

from cinegraph_core.errors.tree import (
    AuthError,
    CancelledError,
    ClientError,
    InvalidResponseError,
    NetworkError,
    NotFoundError,
    PageError,
    RateLimitError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
    UnknownError,
)

_BY_STATUS: dict[int, type[ServiceError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    408: ServiceTimeoutError,
    410: NotFoundError,
    429: RateLimitError,
}

# Qualified names, so that no client library is imported here; the first listed class of the MRO decides.
_BY_NAME: dict[str, type[ServiceError]] = {
    "asyncio.exceptions.CancelledError": CancelledError,
    "builtins.KeyboardInterrupt": CancelledError,
    "builtins.TimeoutError": ServiceTimeoutError,
    "httpx.TimeoutException": ServiceTimeoutError,
    "httpx.DecodingError": InvalidResponseError,
    "httpx.RemoteProtocolError": NetworkError,
    "httpx.TooManyRedirects": InvalidResponseError,
    "httpx.UnsupportedProtocol": ClientError,
    "httpx.InvalidURL": ClientError,
    "httpx.TransportError": NetworkError,
    "scrapy.exceptions.DownloadTimeoutError": ServiceTimeoutError,
    "scrapy.exceptions.DownloadConnectionRefusedError": NetworkError,
    "scrapy.exceptions.CannotResolveHostError": NetworkError,
    # The project's own DOWNLOAD_MAXSIZE forbids the page: nothing is wrong with the service, and the next time is as large.
    "scrapy.exceptions.DownloadCancelledError": ClientError,
    "scrapy.exceptions.ResponseDataLossError": NetworkError,
    "scrapy.exceptions.UnsupportedURLSchemeError": ClientError,
    "scrapy.exceptions.DownloadFailedError": NetworkError,
    "scrapy.exceptions.IgnoreRequest": CancelledError,
    "scrapy.exceptions.StopDownload": CancelledError,
    "twisted.internet.error.TimeoutError": ServiceTimeoutError,
    "twisted.internet.error.ConnectError": NetworkError,
    "twisted.internet.error.ConnectionDone": NetworkError,
    "twisted.internet.error.ConnectionLost": NetworkError,
    "twisted.internet.error.DNSLookupError": NetworkError,
    "twisted.web._newclient.ResponseFailed": NetworkError,
    "urllib3.exceptions.NewConnectionError": NetworkError,
    "urllib3.exceptions.TimeoutError": ServiceTimeoutError,
    "urllib3.exceptions.ProtocolError": NetworkError,
    "urllib3.exceptions.ProxyError": NetworkError,
    "urllib3.exceptions.SSLError": NetworkError,
    "requests.exceptions.Timeout": ServiceTimeoutError,
    "aiohttp.client_exceptions.ServerTimeoutError": ServiceTimeoutError,
    "aiohttp.client_exceptions.ClientConnectionError": NetworkError,
    "aiohttp.client_exceptions.ClientPayloadError": NetworkError,
    "http.client.IncompleteRead": NetworkError,
    "http.client.BadStatusLine": NetworkError,
    "json.decoder.JSONDecodeError": InvalidResponseError,
    "msgspec.DecodeError": InvalidResponseError,
    "builtins.UnicodeDecodeError": InvalidResponseError,
    "builtins.EOFError": InvalidResponseError,
    "gzip.BadGzipFile": InvalidResponseError,
    "zlib.error": InvalidResponseError,
    "struct.error": InvalidResponseError,
    "brotli.error": InvalidResponseError,
    "backports.zstd.ZstdError": InvalidResponseError,
    "builtins.OSError": NetworkError,
}

_NEVER_SENT = frozenset(
    {
        "httpx.ConnectError",
        "httpx.ConnectTimeout",
        "httpx.PoolTimeout",
        "httpx.UnsupportedProtocol",
        "httpx.InvalidURL",
        "scrapy.exceptions.DownloadConnectionRefusedError",
        "scrapy.exceptions.CannotResolveHostError",
        "scrapy.exceptions.UnsupportedURLSchemeError",
        "twisted.internet.error.ConnectError",
        "twisted.internet.error.DNSLookupError",
        "urllib3.exceptions.ConnectTimeoutError",
        "urllib3.exceptions.NewConnectionError",
        "requests.exceptions.ConnectTimeout",
        "aiohttp.client_exceptions.ClientConnectorError",
        "aiohttp.client_exceptions.ConnectionTimeoutError",
        "builtins.ConnectionRefusedError",
    }
)

_LONGEST_CHAIN = 8
"""Errors that are looked at, each the cause of the one before; client libraries chain two or three."""


def from_status(status: int, *, service: str = "", url: str = "", retry_after: float | None = None) -> ServiceError | None:
    """Return the error an HTTP status stands for, or ``None`` for a proper answer (2xx and 3xx)."""
    if status < 400:
        return None
    kind = _BY_STATUS.get(status) or (ServerError if status >= 500 else ClientError)
    return kind(f"HTTP {status} from {service or url}", service=service, url=url, status=status, retry_after=retry_after)


def classify(error: BaseException, *, service: str = "", url: str = "") -> ServiceError | PageError:
    """Return any exception as one of ours; ours pass unchanged.

    Knows what httpx, requests, urllib3, aiohttp, Scrapy, Twisted, asyncio and the standard library raise, by name and without
    importing them; an error it does not know, as openai's ``APIConnectionError``, is what it was raised ``from``.
    """
    if isinstance(error, ServiceError | PageError):
        return error
    kind, sent = _meaning(error)
    detail = str(error).strip()
    message = f"{type(error).__name__}: {detail or (kind.__doc__ or '').rstrip('.')}"
    mapped = kind(message, service=service, url=url)
    mapped.sent = sent
    mapped.__cause__ = None if kind is CancelledError else error
    return mapped


def _meaning(error: BaseException) -> tuple[type[ServiceError], bool]:
    """Return what an error stands for and whether its request may have left: its own class decides, else that of its cause.

    Not of its context, which may have been dealt with: the error may be a bug in doing so. Nor of a cause that is ours, which
    has been held against another service, or of a cancellation, which whoever made it an error knew better.
    """
    for _ in range(_LONGEST_CHAIN):
        # httpx2 is httpx under another name.
        names = [f"{cls.__module__}.{cls.__qualname__}".replace("httpx2.", "httpx.", 1) for cls in type(error).__mro__]
        for name in names:
            if name in _BY_NAME:
                return _BY_NAME[name], _NEVER_SENT.isdisjoint(names)
        cause = error.__cause__
        if not isinstance(cause, Exception) or isinstance(cause, ServiceError | PageError):
            break
        error = cause
    return UnknownError, True
