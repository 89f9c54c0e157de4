"""What the door remembers about one service while the process lives."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from cinegraph_core.contracts import Credentials, ServiceSpec
from cinegraph_core.errors import AuthError
from cinegraph_core.records import Provenance
from cinegraph_core.resilience.breaker import Breaker
from cinegraph_core.resilience.rate import RateLimit
from cinegraph_core.resilience.retry import RetryBudget
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.limits import Limits
from cinegraph_core.services.redaction import Redactor

log = logging.getLogger(__name__)

_NEGLIGIBLE = 0.001
"""Seconds; a shorter rest of a hold is rounding, not a wish of the service."""


@dataclass
class ServiceState:
    """One service's rules and machines, shared by all its calls; times are monotonic seconds.

    ``obstacle`` says why no call can be made at all, such as a missing key, and how to mend it.
    """

    spec: ServiceSpec
    breaker: Breaker
    limits: Limits
    cache: ServiceCache
    rate: RateLimit = field(default_factory=RateLimit)
    retries: RetryBudget = field(default_factory=RetryBudget)
    credentials: Credentials = field(default_factory=Credentials)
    redact: Redactor = field(default_factory=Redactor)
    provenance: Provenance = "live"
    obstacle: str = ""
    key_refused: bool = False
    """Whether the latest attempt was answered with 401 or 403."""
    _free_at: float = float("-inf")

    timeout: float = field(init=False)
    """Seconds one attempt may take, from connect to last byte."""
    deadline: float = field(init=False)
    """Seconds a whole call may take, with its waits."""

    def __post_init__(self) -> None:
        self.timeout = self.spec.timeout or float("inf")
        self.deadline = self.spec.deadline or float("inf")

    def hold(self, until: float) -> None:
        """Send nothing before ``until``, because the service asked for it."""
        self._free_at = max(self._free_at, until)

    def held(self, now: float) -> float:
        """Return how many more seconds the service wants to be left alone."""
        left = self._free_at - now
        return left if left > _NEGLIGIBLE else 0.0

    def note_key(self, refusal: AuthError | None) -> None:
        """Raise the alarm when the service begins to refuse our key, once, and lower it when it takes it again (``None``).

        No breaker helps against a wrong key, and no waiting: a person has to look.
        """
        name = self.spec.name
        if refusal is None:
            log.warning("%s lets us in again", name)
        elif not self.key_refused:
            remedy = f"check CINEGRAPH_SERVICES__{name.upper()}__API_KEY, or whether it lets us in at all"
            log.error("%s refuses us (%s): %s", name, self.redact(str(refusal)), remedy)
        self.key_refused = refusal is not None
