"""Every error Cinegraph raises, and the one classifier that maps the outside world into it.

The tree::

    CinegraphError
    ├── ConfigurationError          the person at the keyboard can mend it; the message says how
    │   ├── SettingsError           an unknown or wrong setting
    │   ├── PluginError             a plugin that cannot be loaded or breaks its contract
    │   ├── DatabaseError           not reachable, not migrated, or stamped for another mode
    │   └── UsageError              a wrong argument of a spider or a command
    ├── ServiceError                a call through the door did not get a proper answer
    │   ├── NotFoundError           not_found         the service answered: there is no such thing
    │   ├── RateLimitError          rate_limit        429, or "Request limit reached!"
    │   ├── ServiceTimeoutError     timeout           an attempt or the whole call took too long
    │   ├── NetworkError            network_error     refused, reset, no such host
    │   ├── AuthError               auth_error        401, 403: a key is missing or wrong
    │   ├── BlockedError            blocked           a challenge or block page instead of an answer
    │   ├── ServerError             server_error      5xx
    │   ├── ClientError             client_error      any other 4xx
    │   ├── InvalidResponseError    invalid_response  the body is not what its type says
    │   ├── CircuitOpenError        circuit_open      refused here: the breaker is open
    │   ├── QuotaExceededError      quota_exceeded    refused here: the quota is used up
    │   ├── BudgetExceededError     budget_exceeded   refused here: the money is used up
    │   ├── CancelledError          cancelled         given up by the caller
    │   └── UnknownError            unknown           none of the above
    ├── PageError                   a page arrived and cannot be read
    │   ├── ParseError              parse_error       one value on the page makes no sense
    │   ├── LayoutChangedError      layout_changed    the page is not built as it used to be
    │   └── NoDataError             not_found         the page says there is nothing (yet)
    └── ProvenanceError             something mocked or stale was about to be stored as truth

Each class that can end a call carries ``error_type``, the word that stands in ``api_lookup_metrics``.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Literal, get_args

ErrorType = Literal[
    "not_found",
    "rate_limit",
    "timeout",
    "network_error",
    "auth_error",
    "blocked",
    "server_error",
    "client_error",
    "parse_error",
    "layout_changed",
    "invalid_response",
    "circuit_open",
    "quota_exceeded",
    "budget_exceeded",
    "cancelled",
    "unknown",
]
ERROR_TYPES: frozenset[str] = frozenset(get_args(ErrorType))


class CinegraphError(Exception):
    """Base of everything Cinegraph raises on purpose."""


class ConfigurationError(CinegraphError):
    """Something is set up wrongly; the message says what, where and how to mend it."""


class SettingsError(ConfigurationError):
    """A setting is unknown or has a value that cannot be used."""


class PluginError(ConfigurationError):
    """A plugin cannot be loaded or does not keep its contract."""


class DatabaseError(ConfigurationError):
    """The database is unreachable, not migrated, or belongs to another mode."""


class UsageError(ConfigurationError):
    """A spider or a command was given an argument it does not know."""


class ProvenanceError(CinegraphError):
    """A value that is mocked, stale or made up was about to be stored as truth."""


class ServiceError(CinegraphError):
    """A call through the door did not get a proper answer.

    ``service`` names it, ``url`` is the public address without secrets, ``status`` the HTTP status if there was one,
    ``retry_after`` the seconds after which a new try makes sense (``None``: not known).
    """

    error_type: ClassVar[ErrorType] = "unknown"
    transient: ClassVar[bool] = False
    """Whether the same request may succeed if it is sent again soon."""
    trips: ClassVar[bool] = False
    """Whether the breaker counts it as a failure of the service."""

    def __init__(
        self,
        message: str = "",
        *,
        service: str = "",
        url: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message or self.__class__.__doc__ or "")
        self.service = service
        self.url = url
        self.status = status
        self.retry_after = retry_after
        self.sent = True
        """Whether the request can have reached the service; ``False`` for a refused connection or an unknown host."""


class NotFoundError(ServiceError):
    """The service answered properly: there is no such thing."""

    error_type = "not_found"


class RateLimitError(ServiceError):
    """The service asked us to slow down."""

    error_type = "rate_limit"
    transient = True


class ServiceTimeoutError(ServiceError):
    """The attempt, or the whole call, took longer than it may."""

    error_type = "timeout"
    transient = True
    trips = True


class NetworkError(ServiceError):
    """The connection failed: refused, reset, or no such host."""

    error_type = "network_error"
    transient = True
    trips = True


class AuthError(ServiceError):
    """The service refused our key."""

    error_type = "auth_error"


class BlockedError(ServiceError):
    """A challenge or block page came instead of an answer."""

    error_type = "blocked"


class ServerError(ServiceError):
    """The service failed with a 5xx."""

    error_type = "server_error"
    transient = True
    trips = True


class ClientError(ServiceError):
    """The service says our request is wrong."""

    error_type = "client_error"


class InvalidResponseError(ServiceError):
    """The body is not what its type says it is."""

    error_type = "invalid_response"
    transient = True
    trips = True


class CircuitOpenError(ServiceError):
    """The call was refused here, because the service keeps failing."""

    error_type = "circuit_open"


class QuotaExceededError(ServiceError):
    """The call was refused here, because the quota is used up."""

    error_type = "quota_exceeded"


class BudgetExceededError(ServiceError):
    """The call was refused here, because the money is used up."""

    error_type = "budget_exceeded"


class CancelledError(ServiceError):
    """The caller gave the call up."""

    error_type = "cancelled"


class UnknownError(ServiceError):
    """The call failed in a way nobody foresaw."""

    error_type = "unknown"


class PageError(CinegraphError):
    """A page arrived and cannot be read; ``url`` says which."""

    error_type: ClassVar[ErrorType] = "parse_error"

    def __init__(self, message: str = "", *, url: str = "") -> None:
        super().__init__(message or self.__class__.__doc__ or "")
        self.url = url


class ParseError(PageError):
    """One value on the page makes no sense."""

    error_type = "parse_error"


class LayoutChangedError(PageError):
    """The page is not built as it used to be; its parser must be looked at."""

    error_type = "layout_changed"


class NoDataError(PageError):
    """The page is well and says that there is nothing (yet)."""

    error_type = "not_found"


_BY_STATUS: dict[int, type[ServiceError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    408: ServiceTimeoutError,
    410: NotFoundError,
    429: RateLimitError,
}

# Qualified names, so that neither httpx nor Scrapy nor Twisted is imported here; the first listed class of the MRO decides.
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
    "scrapy.exceptions.DownloadCancelledError": InvalidResponseError,
    "scrapy.exceptions.ResponseDataLossError": NetworkError,
    "scrapy.exceptions.UnsupportedURLSchemeError": ClientError,
    "scrapy.exceptions.DownloadFailedError": NetworkError,
    "scrapy.exceptions.IgnoreRequest": CancelledError,
    "twisted.internet.error.TimeoutError": ServiceTimeoutError,
    "twisted.internet.error.ConnectError": NetworkError,
    "twisted.internet.error.ConnectionDone": NetworkError,
    "twisted.internet.error.ConnectionLost": NetworkError,
    "twisted.internet.error.DNSLookupError": NetworkError,
    "twisted.web._newclient.ResponseFailed": NetworkError,
    "json.decoder.JSONDecodeError": InvalidResponseError,
    "msgspec.DecodeError": InvalidResponseError,
    "builtins.UnicodeDecodeError": InvalidResponseError,
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
        "builtins.ConnectionRefusedError",
    }
)


def from_status(status: int, *, service: str = "", url: str = "", retry_after: float | None = None) -> ServiceError | None:
    """Return the error an HTTP status stands for, or ``None`` for a proper answer (2xx and 3xx)."""
    if status < 400:
        return None
    kind = _BY_STATUS.get(status) or (ServerError if status >= 500 else ClientError)
    return kind(f"HTTP {status} from {service or url}", service=service, url=url, status=status, retry_after=retry_after)


def classify(error: BaseException, *, service: str = "", url: str = "") -> ServiceError | PageError:
    """Return any exception as one of ours; ours pass unchanged.

    Knows what httpx, Scrapy, Twisted, asyncio and the standard library raise, by name and without importing them.
    """
    if isinstance(error, ServiceError | PageError):
        return error
    names = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__]
    kind = next((_BY_NAME[name] for name in names if name in _BY_NAME), UnknownError)
    detail = str(error).strip()
    message = f"{type(error).__name__}: {detail or (kind.__doc__ or '').rstrip('.')}"
    mapped = kind(message, service=service, url=url)
    mapped.sent = _NEVER_SENT.isdisjoint(names)
    mapped.__cause__ = error if not isinstance(error, asyncio.CancelledError) else None
    return mapped
