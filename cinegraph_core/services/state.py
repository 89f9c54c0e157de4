"""What the door remembers about one service while the process lives."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isinf
from typing import TYPE_CHECKING

from cinegraph_core.contracts import Credentials, ServiceSpec
from cinegraph_core.errors import AuthError, CircuitOpenError, RateLimitError, ServiceError, ServiceTimeoutError
from cinegraph_core.records import Provenance
from cinegraph_core.resilience.breaker import Breaker
from cinegraph_core.resilience.bulkhead import Bulkhead
from cinegraph_core.resilience.rate import RateLimit
from cinegraph_core.resilience.retry import LONGEST_HOLD, MAX_WAIT, RetryBudget, Slowdown
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.limits import Limits
from cinegraph_core.services.redaction import Redactor

if TYPE_CHECKING:
    from cinegraph_core.services.probes import ProbeLease

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
    slowdown: Slowdown = field(default_factory=Slowdown)
    credentials: Credentials = field(default_factory=Credentials)
    redact: Redactor = field(default_factory=Redactor)
    provenance: Provenance = "live"
    obstacle: str = ""
    probes: ProbeLease | None = None
    """The right to probe, which all processes share."""
    on_hold: Callable[[str, float], None] | None = None
    """Called with the service's name when it asks to be left alone, and until when."""
    stand_in: Callable[[], ServiceState] | None = None
    """Returns the state of the replica that answers where this one is refused; ``None``: nobody does."""
    elsewhere: Callable[[str], str] | None = None
    """Turns an address that a request was built with into this side's; ``None`` where they are the same."""
    key_refused: bool = False
    """Whether the latest attempt was answered with 401 or 403."""
    _free_at: float = float("-inf")

    paced: bool = field(init=False)
    """Whether requests take turns in the rate."""
    bulkhead: Bulkhead | None = field(init=False)
    timeout: float = field(init=False)
    """Seconds one attempt may take, from connect to last byte."""
    deadline: float = field(init=False)
    """Seconds a whole call may take, with its waits."""
    mark: Provenance | None = field(init=False)
    """What an answer that came just now says of itself; ``None`` for a live one."""

    def __post_init__(self) -> None:
        self.paced = self.spec.rate_per_second > 0
        self.timeout = self.spec.timeout or float("inf")
        self.deadline = self.spec.deadline or float("inf")
        self.mark = None if self.provenance == "live" else self.provenance
        places = self.spec.max_concurrent
        self.bulkhead = Bulkhead(places, self.spec.max_waiting) if places else None

    def hold(self, until: float) -> None:
        """Send nothing before ``until``, because the service asked for it."""
        if self.keep_away(until) and self.on_hold is not None:
            self.on_hold(self.spec.name, until)

    def held_back_by(self, error: ServiceError, asked_at: float, now: float) -> float:
        """Hold all calls back as long as an error asks for, at most :data:`LONGEST_HOLD`; return for how many seconds.

        One that says to slow down and not for how long holds them for a while (:class:`Slowdown`); the request left at
        ``asked_at``.
        """
        if error.retry_after is not None:
            pause = error.retry_after = min(error.retry_after, LONGEST_HOLD)
        elif isinstance(error, RateLimitError):
            pause = max(0.0, self.slowdown.told(asked_at, now) - now)
        else:
            return 0.0
        self.hold(now + pause)
        return pause

    def keep_away(self, until: float) -> bool:
        """Do the same because another process was asked to; returns whether that is news."""
        longer = until > self._free_at
        if longer:
            self._free_at = until
        return longer

    def lift_hold(self) -> None:
        """Let requests go again at once, because a person said so."""
        self._free_at = float("-inf")

    def held(self, now: float) -> float:
        """Return how many more seconds the service wants to be left alone."""
        left = self._free_at - now
        return left if left > _NEGLIGIBLE else 0.0

    def turn(self, now: float, left: float, *, is_seated: bool = False) -> float:
        """Return how many seconds a request has to wait for its turn: the service's own wishes, then the rate limit.

        Those who wait for a place have their turns first, unless the request has one (``is_seated``). Raises
        :class:`AuthError` without a key, :class:`RateLimitError` where the service wants to be left alone for longer than
        anybody waits, :class:`ServiceTimeoutError` where the turn does not come within the call's ``left`` seconds.
        """
        if self.obstacle:
            raise AuthError(self.obstacle)
        if left <= 0:
            raise ServiceTimeoutError(f"the deadline of {self.deadline:g} s has passed")
        if not self.paced and self._free_at <= now:
            return 0.0
        held = self.held(now)
        if held > MAX_WAIT or held >= left:
            message = f"{self.spec.name} asked to be left alone for {held:.0f} more seconds"
            raise RateLimitError(message, retry_after=held)
        ahead = 0 if is_seated or self.bulkhead is None else self.bulkhead.waiting
        wait = held + self.rate.waiting(now + held, ahead)
        if wait >= left:
            raise ServiceTimeoutError(f"the rate limit has no place within {left:.0f} s", retry_after=wait)
        return wait

    def take_turn(self, now: float) -> float:
        """Take a turn and return the seconds until it comes: more than :meth:`turn` told if another thread was quicker."""
        held = self.held(now)
        return held + self.rate.reserve(now + held)

    def circuit_open(self, seconds: float) -> CircuitOpenError:
        """Return the refusal of a breaker that lets nothing through for so many seconds (``inf``: not by itself)."""
        if isinf(seconds):
            return CircuitOpenError(f"the breaker of {self.spec.name} was opened by hand and stays so until it is reset")
        message = f"{self.spec.name} keeps failing; the next request may go in {seconds:.0f} s"
        return CircuitOpenError(message, retry_after=max(0.0, seconds))

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
