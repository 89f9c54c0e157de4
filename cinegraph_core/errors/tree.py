"""The tree of errors, which :mod:`cinegraph_core.errors` draws, and the words that name them in the record of calls."""

from __future__ import annotations

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
    "bulkhead_full",
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
    provenance: str | None = None
    """Whose word it is, as a :data:`~cinegraph_core.records.Provenance`; ``None`` before the call has ended."""

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
        self.parked_until: float | None = None
        """Epoch seconds at which a used-up quota or budget begins anew, where the work is to be parked until then."""


class NotFoundError(ServiceError):
    """The service answered properly: there is no such thing."""

    error_type = "not_found"


class RateLimitError(ServiceError):
    """The service asked us to slow down."""

    error_type = "rate_limit"
    transient = True
    spent: Literal["hour", "day"] | None = None
    """The window of the provider's own quota that is used up, where its answer says so; a :attr:`ServiceSpec.judge` sets it."""


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


class BulkheadFullError(ServiceError):
    """The call was refused here, because too many calls already wait for their turn at the service."""

    error_type = "bulkhead_full"
    transient = True


class CancelledError(ServiceError):
    """The caller gave the call up."""

    error_type = "cancelled"


class UnknownError(ServiceError):
    """The call failed in a way nobody foresaw."""

    error_type = "unknown"


class PageError(CinegraphError):
    """A page arrived and cannot be read; ``url`` says which."""

    error_type: ClassVar[ErrorType] = "parse_error"
    provenance: str | None = None
    """Whose page it is, as a :data:`~cinegraph_core.records.Provenance`; ``None`` before the call has ended."""

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
