"""Cinegraph: brings film-festival results home and keeps an honest record of every call it made on the way.

What is exported here by name is what a plugin may rely on. Everything is imported on first use, so that importing
``cinegraph_core`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinegraph_core.contracts import (
        AlertChannel,
        Answer,
        BreakerWindow,
        Call,
        Catalogue,
        Clock,
        Credentials,
        EditionPlan,
        Enricher,
        LookupContext,
        Matcher,
        MetricsSink,
        PageInput,
        PageRequest,
        PageResult,
        Replica,
        ServiceClient,
        ServiceSpec,
        SinkContext,
        SinkWriter,
        Source,
    )
    from cinegraph_core.errors import (
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
    from cinegraph_core.hookspecs import hookimpl
    from cinegraph_core.records import (
        Candidate,
        Edition,
        Explanation,
        Film,
        FilmKind,
        FilmQuery,
        LevelTried,
        Match,
        Measurement,
        Mode,
        Nomination,
        Page,
        Person,
        PersonKind,
        Provenance,
        ScoredCandidate,
        Statement,
        Weighed,
    )
    from cinegraph_core.resilience.budget import Tokens
    from cinegraph_core.services.guarded import guarded

_HOMES = ("errors", "records", "contracts", "hookspecs", "resilience.budget", "services.guarded")
"""The modules in which the exported names live, the cheapest to import first."""

__all__ = [
    "AlertChannel",
    "Answer",
    "AuthError",
    "BlockedError",
    "BreakerWindow",
    "BudgetExceededError",
    "BulkheadFullError",
    "Call",
    "CancelledError",
    "Candidate",
    "Catalogue",
    "CinegraphError",
    "CircuitOpenError",
    "ClientError",
    "Clock",
    "ConfigurationError",
    "Credentials",
    "DatabaseError",
    "Edition",
    "EditionPlan",
    "Enricher",
    "ErrorType",
    "Explanation",
    "Film",
    "FilmKind",
    "FilmQuery",
    "InvalidResponseError",
    "LayoutChangedError",
    "LevelTried",
    "LookupContext",
    "Match",
    "Matcher",
    "Measurement",
    "MetricsSink",
    "Mode",
    "NetworkError",
    "NoDataError",
    "Nomination",
    "NotFoundError",
    "Page",
    "PageError",
    "PageInput",
    "PageRequest",
    "PageResult",
    "ParseError",
    "Person",
    "PersonKind",
    "PluginError",
    "Provenance",
    "ProvenanceError",
    "QuotaExceededError",
    "RateLimitError",
    "Replica",
    "ScoredCandidate",
    "ServerError",
    "ServiceClient",
    "ServiceError",
    "ServiceSpec",
    "ServiceTimeoutError",
    "SettingsError",
    "SinkContext",
    "SinkWriter",
    "Source",
    "Statement",
    "Tokens",
    "UnknownError",
    "UsageError",
    "Weighed",
    "guarded",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                globals()[name] = value = getattr(module, name)
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
