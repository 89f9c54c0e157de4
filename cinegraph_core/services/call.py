"""One logical call through the door, without I/O: the part that httpx and Scrapy share.

The caller asks :meth:`CallGuard.attempt` before every request, waits, sends, and reports what came of it. The guard
decides what the answer means, whether and when to try again, tells the breaker, and leaves exactly one
:class:`~cinegraph_core.records.Measurement`, whichever way the call ends::

    guard = services.begin(call)
    while True:
        attempt = guard.attempt()
        await clock.sleep(attempt.wait)
        guard.leaving(attempt)
        verdict = guard.answered(attempt, await fetch(timeout=attempt.timeout))   # or guard.failed(attempt, error)
        if isinstance(verdict, Done):
            return verdict.value
        await clock.sleep(verdict.wait)
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

from cinegraph_core.contracts import Answer, Call, Clock
from cinegraph_core.errors import (
    AuthError,
    CircuitOpenError,
    ErrorType,
    NotFoundError,
    PageError,
    RateLimitError,
    ServiceError,
    ServiceTimeoutError,
    classify,
)
from cinegraph_core.records import Measurement
from cinegraph_core.resilience.breaker import Refused
from cinegraph_core.resilience.retry import MAX_WAIT, backoff
from cinegraph_core.services.judging import CallError, rule
from cinegraph_core.services.state import ServiceState
from cinegraph_core.services.verdicts import Again, Attempt, Done, Recorder, Verdict

__all__ = ["Again", "Attempt", "CallGuard", "Done", "Recorder", "Verdict"]

IDEMPOTENT = frozenset({"GET", "HEAD"})
"""Only these are repeated; anything else could be done twice."""
_MESSAGE_LENGTH = 500


class CallGuard:
    """Leads one call from its first attempt to its one measurement.

    Time counts from the first :meth:`attempt`, waits included, save what :meth:`queued` names. ``on_sent`` is called once
    for every request that left. Not for use by two tasks at a time.
    """

    def __init__(
        self,
        call: Call,
        state: ServiceState,
        clock: Clock,
        recorder: Recorder,
        *,
        rng: random.Random,
        method: str = "GET",
        on_sent: Callable[[], None] | None = None,
    ) -> None:
        self.call = call
        self.ended = False
        """Whether the measurement has been made."""
        self._state = state
        self._clock = clock
        self._recorder = recorder
        self._rng = rng
        self._retries_left = state.spec.retries if method.upper() in IDEMPOTENT else 0
        self._failures = 0
        self._on_sent = on_sent
        self._started: float | None = None
        self._in_flight: Attempt | None = None
        self._last_error: ServiceError | None = None
        self._sent = 0
        self._unsent = 0

    def attempt(self) -> Attempt:
        """Return leave for the next request.

        Raises :class:`CircuitOpenError`, :class:`RateLimitError` (the service asked to be left alone),
        :class:`ServiceTimeoutError` (the deadline has no room) or :class:`AuthError` (no key), and ends the call with it;
        if an earlier request of this call failed, that error is raised instead, because it is the reason.
        """
        now = self._clock.monotonic()
        if self._started is None:
            self._started = now
        if self._state.obstacle:
            raise self._refused(AuthError(self._state.obstacle))
        wait = self._wait_for_turn(now)
        try:
            permit = self._state.breaker.acquire(now)
        except Refused as refusal:
            raise self._refused(self._circuit_open(refusal.retry_at - now)) from None
        self._state.rate.reserve(now + self._state.held(now))
        self._in_flight = Attempt(wait, min(self._state.timeout, self._left(now) - wait), permit)
        return self._in_flight

    def leaving(self, attempt: Attempt) -> None:
        """Say that the wait is over; raises :class:`CircuitOpenError` if the breaker opened meanwhile."""
        if not self._state.breaker.stands(attempt.permit):
            now = self._clock.monotonic()
            raise self._refused(self._circuit_open((self._state.breaker.retry_at(now) or now) - now))

    def queued(self, seconds: float) -> None:
        """Leave ``seconds`` spent in a scheduler's queue out of the deadline and of the response time."""
        if self._started is not None:
            self._started += seconds

    def answered(self, attempt: Attempt, answer: Answer) -> Verdict:
        """Judge an answer: by :attr:`ServiceSpec.judge`, by its status, by :attr:`Call.read`, in this order.

        Returns :class:`Done`, or :class:`Again` where another attempt may help; else raises the :class:`ServiceError` or
        :class:`PageError` the call ends with. What a judge or reader throws unawares ends as ``unknown`` or
        ``parse_error`` and is never a success.
        """
        self._count(sent=True)
        ruling = rule(self.call, self._state.spec, answer, self._clock.now())
        self._settle(attempt, ruling.error)
        if ruling.error is None:
            self._end(success=True, error_type="not_found" if ruling.absent else None)
            return Done(ruling.value, answer)
        if ruling.absent:
            raise self._ended(ruling.error, success=True)
        return self._again(ruling.error)

    def failed(self, attempt: Attempt, error: BaseException) -> Again:
        """Take note that no answer came; returns :class:`Again` or raises the error the call ends with."""
        ours = classify(error, service=self.call.service)
        self._count(sent=_left(ours))
        self._settle(attempt, ours)
        return self._again(ours)

    def redirected(self, attempt: Attempt) -> None:
        """Take note of a redirect that the client follows itself: the request counts, the same call goes on."""
        self._count(sent=True)
        self._settle(attempt, None)

    def abandon(self, error: BaseException) -> None:
        """End the call because somebody outside gave it up; does nothing once it has ended.

        A request under way counts as sent unless the error's ``sent`` says otherwise.
        """
        if self.ended:
            return
        ours = classify(error, service=self.call.service)
        if self._in_flight is not None and _left(ours):
            self._count(sent=True)
        self._ended(ours)

    # ------------------------------------------------------------------------------------------- before a request

    def _wait_for_turn(self, now: float) -> float:
        """Return how long the service's own wishes and the rate limit make this attempt wait."""
        left = self._left(now)
        if left <= 0:
            raise self._refused(ServiceTimeoutError(f"the deadline of {self._state.deadline:g} s has passed"))
        held = self._state.held(now)
        if held > MAX_WAIT or held >= left:
            message = f"{self.call.service} asked to be left alone for {held:.0f} more seconds"
            raise self._refused(RateLimitError(message, retry_after=held))
        wait = held + self._state.rate.waiting(now + held)
        if wait >= left:
            raise self._refused(ServiceTimeoutError(f"the rate limit has no place within {left:.0f} s", retry_after=wait))
        return wait

    def _left(self, now: float) -> float:
        return self._state.deadline - (now - (now if self._started is None else self._started))

    def _circuit_open(self, seconds: float) -> CircuitOpenError:
        message = f"{self.call.service} keeps failing; the next request may go in {seconds:.0f} s"
        return CircuitOpenError(message, retry_after=max(0.0, seconds))

    def _refused(self, refusal: ServiceError) -> CallError:
        error = self._last_error
        if error is None:
            return self._ended(refusal)
        if error.retry_after is None:
            error.retry_after = refusal.retry_after
        return self._ended(error)

    # -------------------------------------------------------------------------------------------- after a request

    def _count(self, *, sent: bool) -> None:
        self._sent += sent
        self._unsent += not sent
        if sent and self._on_sent is not None:
            self._on_sent()

    def _settle(self, attempt: Attempt, error: CallError | None) -> None:
        """Tell the breaker: only what speaks of the service's health counts."""
        self._in_flight = None
        now = self._clock.monotonic()
        if error is None or isinstance(error, NotFoundError | PageError):
            self._state.breaker.success(attempt.permit, now)
        elif error.trips:
            self._state.breaker.failure(attempt.permit, now)
        else:
            self._state.breaker.release(attempt.permit)

    def _again(self, error: CallError) -> Again:
        """Return the wait before the next attempt, or raise the error if none may help or none fits."""
        if isinstance(error, PageError) or not error.transient:
            raise self._ended(error)
        now = self._clock.monotonic()
        self._failures += 1
        wait = error.retry_after or backoff(self._failures, self._rng)
        if error.retry_after:
            self._state.hold(now + error.retry_after)
        wait = max(wait, self._closed_for(error, now))
        if self._retries_left == 0 or wait > MAX_WAIT or wait >= self._left(now):
            raise self._ended(error)
        self._retries_left -= 1
        self._last_error = error
        return Again(wait)

    def _closed_for(self, error: ServiceError, now: float) -> float:
        """Return how long the breaker, if this very failure opened it, stays open; the error says so too."""
        retry_at = self._state.breaker.retry_at(now)
        if retry_at is None:
            return 0.0
        error.retry_after = error.retry_after or retry_at - now
        return retry_at - now

    # ----------------------------------------------------------------------------------------------------- the end

    def _ended(self, error: CallError, *, success: bool = False) -> CallError:
        """Record the end and return the error, named and without secrets, for the caller to raise."""
        if isinstance(error, ServiceError):
            error.service = error.service or self.call.service
        text = str(error)
        clean = self._state.redact(text)
        if clean != text:
            error.args = (clean,)
            error.__cause__ = None
            error.__suppress_context__ = True
        self._end(success=success, error_type=error.error_type, message=clean)
        return error

    def _end(self, *, success: bool, error_type: ErrorType | None = None, message: str | None = None) -> None:
        if self._in_flight is not None:
            self._state.breaker.release(self._in_flight.permit)
            self._in_flight = None
        self.ended = True
        self._recorder.record(
            Measurement(
                source=self.call.service,
                operation=self.call.operation,
                target_identifier=self._state.redact(self.call.target.strip()) or self.call.operation,
                success=success,
                inserted_at=datetime.fromtimestamp(self._clock.now(), UTC),
                attempts=self._sent,
                provenance=self._state.provenance,
                response_time_ms=self._elapsed_ms(),
                error_type=error_type,
                error_message=message[:_MESSAGE_LENGTH] if message else None,
                metadata={"unsent": self._unsent} if self._unsent else {},
            )
        )

    def _elapsed_ms(self) -> float | None:
        if self._started is None or not (self._sent or self._unsent):
            return None
        return round((self._clock.monotonic() - self._started) * 1000.0, 3)


def _left(error: CallError) -> bool:
    """Tell whether the request can have reached the service."""
    return error.sent if isinstance(error, ServiceError) else True
