"""What becomes of a call for which a quota or a budget has no room: parked, answered from a stale answer, or just refused."""

from __future__ import annotations

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import BudgetExceededError, QuotaExceededError, RateLimitError, ServiceError
from cinegraph_core.resilience.budget import BUDGETS
from cinegraph_core.services.rules import moment

PROVIDERS_OWN = "provider's own quota"
UNREACHABLE = "shared count"
NO_MAXIMUM = "maximum of tokens"


def refusal(spec: ServiceSpec, limit: str, until: float, now: float) -> ServiceError:
    """Return the error of a call that a limit leaves no room for before ``until`` (epoch seconds)."""
    if limit == NO_MAXIMUM:
        return BudgetExceededError(
            f"tokens of {spec.name} cost money and nobody says how many a call may take at most: set its MAX_INPUT_TOKENS and "
            "MAX_OUTPUT_TOKENS, or give the function tokens=Tokens(...)",
            service=spec.name,
        )
    kind = BudgetExceededError if limit in BUDGETS else QuotaExceededError
    if limit == UNREACHABLE:
        message = f"calls to {spec.name} are limited and cannot be counted now, so none may go (the log says why)"
        return kind(message, service=spec.name, retry_after=until - now)
    message = f"the {limit.replace('_', ' ')} of {spec.name} has no room for another call before {moment(until)}"
    error = kind(message, service=spec.name, retry_after=until - now)
    park(spec, error, until)
    return error


def park(spec: ServiceSpec, error: ServiceError, until: float) -> None:
    """Let the work be parked until then (epoch seconds), unless the service's policy is to refuse."""
    error.parked_until = None if spec.on_exhausted == "refuse" else until


def may_be_spared(spec: ServiceSpec, error: ServiceError) -> bool:
    """Return whether a stale answer may stand in for this error; if a quota or a budget is to blame, the policy decides."""
    exhausted = isinstance(error, RateLimitError) and error.parked_until is not None
    if exhausted or isinstance(error, QuotaExceededError | BudgetExceededError):
        return spec.on_exhausted == "stale"
    return True
