"""What a person can do about each kind of error: one sentence each, kept in this one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cinegraph_core.cli.output import say

MATCHED_WITH = "tmdb"
"""The service behind every match: what an error in a result speaks of."""

REMEDIES: Mapping[str, str] = {
    "not_found": "the service knows no such thing; check what was asked for",
    "rate_limit": "the service wants fewer requests: wait, or lower CINEGRAPH_SERVICES__{NAME}__RATE_PER_SECOND",
    "timeout": "see whether it answers: cinegraph doctor --probe; CINEGRAPH_SERVICES__{NAME}__TIMEOUT gives it more time",
    "network_error": "check the network, HTTPS_PROXY and CINEGRAPH_SERVICES__{NAME}__BASE_URL: cinegraph doctor --probe",
    "auth_error": "the key is missing, wrong or not allowed this: check CINEGRAPH_SERVICES__{NAME}__API_KEY",
    "blocked": "the site sent a challenge or turned us away: wait some hours, and raise CINEGRAPH_SERVICES__{NAME}__DELAY",
    "server_error": "the service itself is failing: try again later; cinegraph services tells how it does",
    "client_error": "the question cannot be answered as it stands: mend what the message names",
    "parse_error": "a page holds something unexpected: run it again with cinegraph --debug, and report it",
    "layout_changed": "the page is built anew and its reader must follow: look for a newer version of the plugin, or report it",
    "invalid_response": "something else may answer in its place: check CINEGRAPH_SERVICES__{NAME}__BASE_URL and any proxy",
    "circuit_open": "the service kept failing, or a person took it out of use: cinegraph services tells which and until when",
    "quota_exceeded": "wait for the next day or hour, or raise CINEGRAPH_SERVICES__{NAME}__DAILY_QUOTA or __HOURLY_QUOTA",
    "budget_exceeded": "wait for the next day, or raise CINEGRAPH_SERVICES__{NAME}__DAILY_BUDGET_USD",
    "bulkhead_full": "ask for less at once, or raise CINEGRAPH_SERVICES__{NAME}__MAX_CONCURRENT",
    "cancelled": "it was given up before it was answered: run it again",
    "unknown": "run it again with cinegraph --debug, and report what it says",
}
"""By error type; ``{NAME}`` stands for the service in capitals."""


def remedy(error_type: str, service: str = MATCHED_WITH) -> str:
    """Return what to do about an error of this type."""
    return REMEDIES.get(error_type, REMEDIES["unknown"]).format(NAME=service.upper() or "<NAME>")


def tell_remedies(error_types: Iterable[str]) -> None:
    """Say, for each type of error that occurred in matching, what to do about it."""
    for error_type in sorted(set(error_types)):
        say(f"→ {error_type}: {remedy(error_type)}")
