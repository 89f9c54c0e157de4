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
from math import isinf

from cinegraph_core.contracts import Answer, Call, Clock
from cinegraph_core.errors import (
    AuthError,
    BudgetExceededError,
    CircuitOpenError,
    ErrorType,
    NotFoundError,
    PageError,
    QuotaExceededError,
    RateLimitError,
    ServiceError,
    ServiceTimeoutError,
    classify,
)
from cinegraph_core.records import Measurement, Provenance
from cinegraph_core.resilience.allowance import Lease
from cinegraph_core.resilience.breaker import Refused
from cinegraph_core.resilience.quota import spent_until
from cinegraph_core.resilience.retry import MAX_WAIT, backoff
from cinegraph_core.services.judging import CallError, rule
from cinegraph_core.services.state import ServiceState
from cinegraph_core.services.verdicts import Again, Attempt, Done, Proper, Recorder, Spared, Verdict

__all__ = ["Again", "Attempt", "CallGuard", "Done", "Proper", "Recorder", "Spared", "Verdict"]

IDEMPOTENT = frozenset({"GET", "HEAD"})
"""Only these are repeated; anything else could be done twice."""
_REFUSALS = (CircuitOpenError, QuotaExceededError, BudgetExceededError)
_MESSAGE_LENGTH = 500


class CallGuard:
    """Leads one call from its first attempt to its one measurement.

    Its deadline counts from the first :meth:`attempt`, waits included, save what :meth:`queued` names. ``on_sent`` is called once
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
        self._leaves_at = 0.0
        self._waited = 0.0
        self._sent = 0
        self._notes: dict[str, int] = {}
        self._charge: Lease | None = None
        self.spare: Answer | None = None
        """A stale answer with which the call ends where no other can be had."""
        self.proper: Proper | None = None
        """The answer the call ended with, where it may be kept."""

    def attempt(self) -> Attempt:
        """Return leave for the next request.

        Raises :class:`CircuitOpenError`, :class:`RateLimitError` (the service asked to be left alone),
        :class:`ServiceTimeoutError` (the deadline has no room) or :class:`AuthError` (no key), and ends the call with it;
        if an earlier request of this call failed, that error is raised instead, because it is the reason.
        """
        now = self._clock.monotonic()
        state = self._state
        if self._started is None:
            self._started = now
            state.retries.earn()
        if state.obstacle:
            raise self._refused(AuthError(state.obstacle))
        left = self._left(now)
        held = state.held(now)
        wait = self._wait_for_turn(now, left, held)
        try:
            permit = state.breaker.acquire(now)
        except Refused as refusal:
            raise self._refused(self._circuit_open(refusal.retry_at - now)) from None
        if permit.at > now + wait:
            wait = permit.at - now
            if wait >= left:
                raise self._refused(self._circuit_open(wait))
        state.rate.reserve(now + held)
        self._leaves_at = now + wait
        self._waited += wait
        left -= wait
        attempt = self._in_flight = Attempt(wait, left if left < state.timeout else state.timeout, permit)
        return attempt

    def leaving(self, attempt: Attempt) -> None:
        """Say that the wait is over; raises :class:`CircuitOpenError` if the breaker opened meanwhile."""
        if not self._state.breaker.stands(attempt.permit):
            now = self._clock.monotonic()
            raise self._refused(self._circuit_open((self._state.breaker.retry_at(now) or now) - now))

    def counted(self) -> bool:
        """Count the next request on the quotas and budgets of its service; ``False`` if a lease must be fetched first.

        Then await :meth:`Services.supply` and ask again. Raises :class:`QuotaExceededError` or :class:`BudgetExceededError`.
        """
        try:
            self._charge = self._state.limits.take(self._clock.now())
        except ServiceError as refusal:
            raise self._refused(refusal) from None
        return self._charge is not None

    def recalled(self, answer: Answer) -> Done | None:
        """End the call with a kept answer; ``None`` if this call's reader cannot read it, so that it has to be asked for.

        Raises :class:`NotFoundError` or :class:`NoDataError` where the answer says that there is no such thing.
        """
        ruling = rule(self.call, self._state.spec, answer, self._clock.now())
        if ruling.error is None:
            self._end(success=True, error_type="not_found" if ruling.absent else None, provenance=answer.provenance)
            return Done(ruling.value, answer)
        if ruling.absent:
            raise self._ended(ruling.error, success=True, provenance=answer.provenance)
        return None

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
        now = self._clock.now()
        ruling = rule(self.call, self._state.spec, answer, now)
        self._settle(attempt, ruling.error)
        self._believe(answer, now)
        if ruling.error is None or ruling.absent:
            self.proper = Proper(answer, ruling.absent)
        if ruling.error is None:
            self._end(success=True, error_type="not_found" if ruling.absent else None)
            return Done(ruling.value, answer)
        if ruling.absent:
            raise self._ended(ruling.error, success=True)
        return self._again(ruling.error)

    def returned(self, attempt: Attempt) -> None:
        """Take note that a callable came back; it has no answer to judge, so this ends the call well."""
        self._count(sent=True)
        self._settle(attempt, None)
        self._end(success=True)

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

    @property
    def tried(self) -> bool:
        """Whether a request of this call has left, or could not."""
        return bool(self._sent) or "unsent" in self._notes

    def forget(self) -> None:
        """End a call that was given up before a request of it left, without a record: it says nothing of its service."""
        self._let_go()
        self.ended = True

    # ------------------------------------------------------------------------------------------- before a request

    def _wait_for_turn(self, now: float, left: float, held: float) -> float:
        """Return how long the service's own wishes and the rate limit make this attempt wait."""
        if left <= 0:
            raise self._refused(ServiceTimeoutError(f"the deadline of {self._state.deadline:g} s has passed"))
        if held > MAX_WAIT or held >= left:
            message = f"{self.call.service} asked to be left alone for {held:.0f} more seconds"
            raise self._refused(RateLimitError(message, retry_after=held))
        wait = held + self._state.rate.waiting(now + held)
        if wait >= left:
            raise self._refused(ServiceTimeoutError(f"the rate limit has no place within {left:.0f} s", retry_after=wait))
        return wait

    def _left(self, now: float) -> float:
        return self._state.deadline if self._started is None else self._started + self._state.deadline - now

    def _circuit_open(self, seconds: float) -> CircuitOpenError:
        if isinf(seconds):
            return CircuitOpenError(f"the breaker of {self.call.service} was opened by hand and stays so until it is reset")
        message = f"{self.call.service} keeps failing; the next request may go in {seconds:.0f} s"
        return CircuitOpenError(message, retry_after=max(0.0, seconds))

    def _refused(self, refusal: ServiceError) -> CallError | Spared:
        error = self._last_error
        if error is None:
            return self._ended(refusal)
        if error.retry_after is None:
            error.retry_after = refusal.retry_after
        return self._ended(error)

    # -------------------------------------------------------------------------------------------- after a request

    def _count(self, *, sent: bool) -> None:
        if self._charge is not None:
            self._state.limits.settle(self._charge, sent=sent)
            self._charge = None
        if not sent:
            self._note("unsent")
            return
        self._sent += 1
        if self._on_sent is not None:
            self._on_sent()

    def _believe(self, answer: Answer, now: float) -> None:
        """Send nothing where the provider itself says that nothing is left: a moment is waited for, longer is a quota."""
        until = spent_until(answer.headers, now)
        if until is None:
            return
        if until - now <= MAX_WAIT:
            self._state.hold(self._clock.monotonic() + until - now)
        else:
            self._state.limits.provider_spent(until)

    def _note(self, what: str) -> None:
        self._notes[what] = self._notes.get(what, 0) + 1

    def _settle(self, attempt: Attempt, error: CallError | None) -> None:
        """Tell the breaker: only what speaks of the service's health counts."""
        self._in_flight = None
        now = self._clock.monotonic()
        breaker, permit = self._state.breaker, attempt.permit
        if permit.era is None:
            self._note("shadowed")
        if error is None or isinstance(error, NotFoundError | PageError):
            breaker.success(permit, now, now - self._leaves_at)
        elif error.trips:
            breaker.failure(permit, now)
        else:
            breaker.release(permit)
        if isinstance(error, AuthError) or (error is None and self._state.key_refused):
            self._state.note_key(error)

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
        if not self._state.retries.spend(now):
            self._note("no_retry_left")
            raise self._ended(error)
        self._retries_left -= 1
        self._last_error = error
        return Again(wait)

    def _closed_for(self, error: ServiceError, now: float) -> float:
        """Return how long the breaker, if this very failure opened it, stays open; the error says so too."""
        retry_at = self._state.breaker.retry_at(now)
        if retry_at is None:
            return 0.0
        if not isinf(retry_at):
            error.retry_after = error.retry_after or retry_at - now
        return retry_at - now

    # ----------------------------------------------------------------------------------------------------- the end

    def _ended(self, error: CallError, *, success: bool = False, provenance: Provenance | None = None) -> CallError | Spared:
        """Record the end and return the error, named and without secrets, for the caller to raise; or a spare answer."""
        if isinstance(error, ServiceError):
            error.service = error.service or self.call.service
        text = str(error)
        clean = self._state.redact(text)
        if clean != text:
            error.args = (clean,)
            error.__cause__ = None
            error.__suppress_context__ = True
        if self.spare is not None and isinstance(error, ServiceError) and (error.transient or isinstance(error, _REFUSALS)):
            spare, self.spare = self.spare, None
            ruling = rule(self.call, self._state.spec, spare, self._clock.now())
            if ruling.error is None:
                self._end(success=True, message=clean, provenance=spare.provenance)
                return Spared(Done(ruling.value, spare))
        self._end(success=success, error_type=error.error_type, message=clean, provenance=provenance)
        return error

    def _end(
        self,
        *,
        success: bool,
        error_type: ErrorType | None = None,
        message: str | None = None,
        provenance: Provenance | None = None,
    ) -> None:
        self._let_go()
        self.ended = True
        self._recorder.record(
            Measurement(
                source=self.call.service,
                operation=self.call.operation,
                target_identifier=self._state.redact(self.call.target.strip()) or self.call.operation,
                success=success,
                inserted_at=datetime.fromtimestamp(self._clock.now(), UTC),
                attempts=self._sent,
                provenance=provenance or self._state.provenance,
                response_time_ms=self._elapsed_ms(),
                error_type=error_type,
                error_message=message[:_MESSAGE_LENGTH] if message else None,
                metadata=self._notes,
            )
        )

    def _let_go(self) -> None:
        if self._charge is not None:
            self._state.limits.settle(self._charge, sent=False)
            self._charge = None
        if self._in_flight is not None:
            self._state.breaker.release(self._in_flight.permit)
            self._in_flight = None

    def _elapsed_ms(self) -> float | None:
        if self._started is None or not self.tried:
            return None
        # What our own limits made it wait says nothing about the service.
        return round(max(0.0, self._clock.monotonic() - self._started - self._waited) * 1e3, 3)


def _left(error: CallError) -> bool:
    """Tell whether the request can have reached the service."""
    return error.sent if isinstance(error, ServiceError) else True
