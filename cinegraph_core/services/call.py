"""One logical call through the door, without I/O: the part that httpx and Scrapy share.

Before every request the caller asks for leave, which may take a wait; then it sends, and reports what came of it. The guard
decides what the answer means and whether and when to try again, tells the breaker, and leaves exactly one
:class:`~cinegraph_core.records.Measurement`, whichever way the call ends::

    guard = services.begin(call)
    while True:
        try:
            attempt = await services.admit(guard)
            verdict = guard.answered(attempt, await fetch(guard.state, attempt))   # or guard.failed(attempt, error)
        except Spared as spared:
            return spared.done.value   # a stale answer in the place of an error
        except Elsewhere:
            continue                   # guard.state is the replica's now
        if isinstance(verdict, Done):
            return verdict.value
        await clock.sleep(verdict.wait)
"""

from __future__ import annotations

from math import isinf

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import (
    AuthError,
    NotFoundError,
    PageError,
    RateLimitError,
    ServiceError,
    classify,
)
from cinegraph_core.resilience.breaker import Refused
from cinegraph_core.resilience.breaker_states import HalfOpen
from cinegraph_core.resilience.calendar import window, zone_of
from cinegraph_core.resilience.retry import MAX_WAIT, backoff
from cinegraph_core.services.admission import Admission
from cinegraph_core.services.exhaustion import park
from cinegraph_core.services.judging import CallError, may_have_left, rule
from cinegraph_core.services.second_hand import SecondHand
from cinegraph_core.services.verdicts import Again, Attempt, Done, Proper, Verdict


class CallGuard(Admission, SecondHand):
    """Leads one call from its first attempt to its one measurement.

    Its deadline counts from the first :meth:`attempt`, waits included, save what :meth:`queued` names. Not for use by two tasks
    at a time.
    """

    _failures = 0
    _has_earned = False
    """Whether it has paid its share into the retry budget."""

    def attempt(self) -> Attempt:
        """Return leave for the next request.

        Raises :class:`CircuitOpenError`, :class:`RateLimitError` (the service asked to be left alone),
        :class:`ServiceTimeoutError` (the deadline has no room) or :class:`AuthError` (no key), and ends the call with it;
        if an earlier request of this call failed, that error is raised instead, because it is the reason. In place of
        either :class:`Spared` or :class:`Elsewhere` may come (see :class:`Admission`).
        """
        now = self._clock.monotonic()
        state = self._state
        if self._started is None:
            self._started = now
        if not self._has_earned:
            self._has_earned = True
            state.retries.earn()
        left = self._left(now)
        try:
            wait = state.turn(now, left)
            permit = state.breaker.acquire(now)
        except ServiceError as refusal:
            raise self._held_back(refusal) from None
        except Refused as refusal:
            raise self._refused(state.circuit_open(refusal.retry_at - now)) from None
        if permit.at >= now:  # a probe, or a place on the ramp
            self._unclaimed = state.probes is not None and type(permit.era) is HalfOpen
            if permit.at > now + wait:
                wait = permit.at - now
                if wait >= left:
                    raise self._refused(state.circuit_open(wait))
        if state.paced:
            wait = self._in_turn(now, wait)
        self._leaves_at = now + wait
        self._waited += wait
        left -= wait
        attempt = self._in_flight = Attempt(wait, left if left < state.timeout else state.timeout, permit)
        return attempt

    def answered(self, attempt: Attempt, answer: Answer) -> Verdict:
        """Judge an answer: by :attr:`ServiceSpec.judge`, by its status, by :attr:`Call.read`, in this order.

        Returns :class:`Done`, or :class:`Again` where another attempt may help; else raises the :class:`ServiceError` or
        :class:`PageError` the call ends with, or in its place :class:`Spared` or :class:`Elsewhere`. An unexpected
        exception in a judge or reader ends the call as ``unknown`` or ``parse_error`` and is never a success.
        """
        now = self._clock.now()
        spent_until = self._state.limits.heed(answer.headers, self.asked_at, now)
        self._count(sent=True, outcome=answer)
        ruling = rule(self.call, self._state.spec, answer, now)
        self._settle(attempt, ruling.error)
        exhausted = (spent_until or ruling.error is not None) and self._believe(spent_until, ruling.error, now)
        if ruling.error is None or ruling.absent:
            self.proper = Proper(answer, ruling.absent)
        else:
            self.doubtful = answer if ruling.own else None
        if ruling.error is None:
            self._end(success=True, error_type=None if ruling.found else "not_found")
            return Done(ruling.value, answer)
        if ruling.absent:
            raise self._ended(ruling.error, success=True)
        if exhausted:
            raise self._ended(ruling.error)
        return self._again(attempt, ruling.error)

    def returned(self, attempt: Attempt, value: object = None) -> None:
        """Take note that a callable came back with a value; there is no answer to judge, so this ends the call well."""
        self._count(sent=True, outcome=value)
        self._settle(attempt, None)
        self._end(success=True)

    def failed(self, attempt: Attempt, error: BaseException) -> Again:
        """Take note that no answer came; returns :class:`Again` or raises what :meth:`answered` raises."""
        ours = classify(error, service=self.call.service)
        self.doubtful = None
        self._count(sent=may_have_left(ours), outcome=ours)
        self._settle(attempt, ours)
        return self._again(attempt, ours)

    def redirected(self, attempt: Attempt) -> None:
        """Take note of a redirect that the client follows itself: the request counts, the same call goes on."""
        self._count(sent=True)
        self._settle(attempt, None)

    def replaced(self) -> None:
        """Take note that somebody sends another request in its place and keeps what came of it: it counts, the call goes on."""
        self._count(sent=True)
        self._let_go()

    def abandon(self, error: BaseException) -> None:
        """End the call because somebody outside gave it up; does nothing once it has ended.

        A request under way counts as sent unless the error's ``sent`` says otherwise.
        """
        if self.ended:
            return
        ours = classify(error, service=self.call.service)
        if self._in_flight is not None and may_have_left(ours):
            self._count(sent=True, outcome=ours)
        self.steer(None)
        self._ended(ours)

    # -------------------------------------------------------------------------------------------- after a request

    def _believe(self, until: float | None, error: CallError | None, now: float) -> bool:
        """Believe that nothing is left ``until`` then: a short pause is waited out, a longer one is a used-up quota.

        Returns whether the error says just that, so that no attempt helps before the provider's window ends.
        """
        spec = self._state.spec
        if until is None and isinstance(error, RateLimitError) and error.spent is not None:
            until = window(error.spent, now, zone_of(spec.time_zone)).end
        if until is None:
            return False
        pause = until - now
        if pause <= MAX_WAIT or self.waits_out(pause):
            self._state.hold(self._clock.monotonic() + pause)
            if pause > MAX_WAIT and isinstance(error, RateLimitError):
                error.retry_after = max(pause, error.retry_after or 0.0)
            return False
        self._state.limits.provider_spent(until)
        if not isinstance(error, RateLimitError):
            return False
        error.retry_after = pause
        park(spec, error, until)
        return True

    def _settle(self, attempt: Attempt, error: CallError | None) -> None:
        """Tell the breaker: only what speaks of the service's health counts, and one pause once, however many are told of it."""
        now = self._clock.monotonic()
        state, permit = self._state, attempt.permit
        if permit.era is None:
            self._note("shadowed")
        if error is None or isinstance(error, NotFoundError | PageError):
            state.breaker.success(permit, now, now - self._leaves_at)
            if state.slowdown.times:
                state.slowdown.answered(self._leaves_at)
        elif error.trips and not (error.retry_after and state.held(now)):
            state.breaker.failure(permit, now)
        else:
            state.breaker.release(permit)
        self._landed()
        if isinstance(error, AuthError) or (error is None and state.key_refused):
            state.note_key(error)

    def _again(self, attempt: Attempt, error: CallError) -> Again:
        """Return the wait before the next attempt, or raise the error if no attempt may help or none fits the deadline."""
        if isinstance(error, PageError) or not error.transient:
            raise self._ended(error)
        if isinstance(error, RateLimitError):
            self._note("rate_limited")
        now = self._clock.monotonic()
        self._failures += 1
        wait = self._state.held_back_by(error, self._leaves_at, now) or backoff(self._failures, self._rng)
        is_told_when = bool(error.retry_after)
        wait = max(wait, self._closed_for(attempt, error, now))
        if is_told_when and wait > MAX_WAIT and self._sits_out(wait):
            self._last_error = error
            return Again(wait)
        if self._retries_left == 0 or wait > MAX_WAIT or wait >= self._left(now):
            raise self._ended(error)
        if not self._state.retries.spend(now):
            self._note("no_retry_left")
            raise self._ended(error)
        self._retries_left -= 1
        self._last_error = error
        return Again(wait)

    def _closed_for(self, attempt: Attempt, error: ServiceError, now: float) -> float:
        """Return how long the breaker, if this very failure opened it, refuses the next attempt; the error says so too."""
        breaker = self._state.breaker
        retry_at = None if breaker.stands(attempt.permit) else breaker.retry_at(now)
        if retry_at is None:
            return 0.0
        if not isinf(retry_at):
            error.retry_after = error.retry_after or retry_at - now
        return retry_at - now
