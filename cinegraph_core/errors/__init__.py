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
    │   ├── BulkheadFullError       bulkhead_full     refused here: too many wait for their turn
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

from cinegraph_core.errors.classifier import classify, from_status
from cinegraph_core.errors.tree import (
    ERROR_TYPES,
    AuthError,
    BlockedError,
    BudgetExceededError,
    BulkheadFullError,
    CancelledError,
    CinegraphError,
    CircuitOpenError,
    ClientError,
    ConfigurationError,
    DatabaseError,
    ErrorType,
    InvalidResponseError,
    LayoutChangedError,
    NetworkError,
    NoDataError,
    NotFoundError,
    PageError,
    ParseError,
    PluginError,
    ProvenanceError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
    SettingsError,
    UnknownError,
    UsageError,
)

__all__ = [
    "ERROR_TYPES",
    "AuthError",
    "BlockedError",
    "BudgetExceededError",
    "BulkheadFullError",
    "CancelledError",
    "CinegraphError",
    "CircuitOpenError",
    "ClientError",
    "ConfigurationError",
    "DatabaseError",
    "ErrorType",
    "InvalidResponseError",
    "LayoutChangedError",
    "NetworkError",
    "NoDataError",
    "NotFoundError",
    "PageError",
    "ParseError",
    "PluginError",
    "ProvenanceError",
    "QuotaExceededError",
    "RateLimitError",
    "ServerError",
    "ServiceError",
    "ServiceTimeoutError",
    "SettingsError",
    "UnknownError",
    "UsageError",
    "classify",
    "from_status",
]
