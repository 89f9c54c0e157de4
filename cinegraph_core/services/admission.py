"""What a request needs beside the breaker's leave before it goes: a place in the bulkhead, the right to probe, a count.

Each is there at once in the usual case. Where one must be waited for, :meth:`Admission.counted` says so, and the adapter
awaits :meth:`~cinegraph_core.services.door.Services.admit`, which speaks with other threads and other processes.
"""

from __future__ import annotations

from collections.abc import Callable

from cinegraph_core.errors import BulkheadFullError, ServiceError, ServiceTimeoutError, UnknownError
from cinegraph_core.resilience.bulkhead import Bulkhead, Waiter
from cinegraph_core.services.account import CallAccount
from cinegraph_core.services.judging import CallError
from cinegraph_core.services.state import ServiceState
from cinegraph_core.services.verdicts import Attempt, Elsewhere, Spared

_LEAST_PAUSE = 60.0
"""Seconds that a pause counts at least, lest a service that always asks for a second is asked thousands of times."""


class Admission(CallAccount):
    """The part of a call between the breaker's leave and the request.

    A method that raises a refusal may raise in its place :class:`Spared`, where a stale answer ends the call well, or
    :class:`Elsewhere`, where the call goes on at the replica (hybrid mode): the caller then asks for leave again.
    """

    patience = 0.0
    """Seconds of pauses, asked for by the service, that the caller waits out beside the deadline."""
    is_repeated = False
    """Whether a request that was itself told to wait goes again after such a pause, beside the retries."""
    asked_at = 0.0
    """When the last request was counted, just before it left (seconds since the epoch)."""
    _last_error: ServiceError | None = None
    _leaves_at = 0.0
    _turn_ends = 0.0
    _paused = 0.0

    def leaving(self, attempt: Attempt) -> Attempt:
        """Say that a wait is over, and return the attempt as it is then: it waits anew if it is held back, or its turn passed.

        A pause that the caller waits out by itself (:attr:`patience`) is told it by :meth:`departs`. Raises
        :class:`CircuitOpenError` if the breaker opened meanwhile, :class:`RateLimitError` if the service asked to be left
        alone for long, :class:`ServiceTimeoutError` if the deadline has no room.
        """
        now = self._clock.monotonic()
        state = self._state
        if not state.breaker.stands(attempt.permit):
            raise self._refused(state.circuit_open((state.breaker.retry_at(now) or now) - now))
        left = self._left(now)
        held = state.held(now)
        must_wait = not self.waits_out(held) if held else self._has_missed_its_turn(attempt, now)
        wait = self._anew(attempt, now, left) if must_wait else 0.0
        if wait >= left:
            raise self._refused(ServiceTimeoutError(f"the deadline of {state.deadline:g} s has passed"))
        return Attempt(wait, min(left - wait, state.timeout), attempt.permit)

    def counted(self) -> bool:
        """Take the request's place and count it on the quotas and budgets; ``False`` if something must be waited for first.

        :meth:`Services.admit` then waits and asks again. Raises :class:`QuotaExceededError` or :class:`BudgetExceededError`.
        """
        state = self._state
        bulkhead = state.bulkhead
        if bulkhead is not None and self._place is None:
            if state.paced or not bulkhead.enter():  # where a rate is set, a turn is taken with the place
                return False
            self._place = bulkhead
        if self._unclaimed:
            return False
        try:
            limits = state.limits if self.call.tokens is None else self.limits
            self.asked_at = now = self._clock.now()
            self._charge = limits.take(now)
        except ServiceError as refusal:
            raise self._refused(refusal) from None
        except Exception as error:
            # A count that breaks must refuse.
            message = f"the call cannot be counted: {type(error).__name__}: {error}"
            raise self._refused(UnknownError(message)) from error
        return self._charge is not None

    # ----------------------------------------------------------------------------------------- for a scheduler

    def departs(self) -> bool:
        """Say that the request goes only now, because a scheduler kept it: that time is not the call's.

        ``False`` if it must not go, because since it got leave the service has asked for a pause or its breaker has opened.
        """
        now = self._clock.monotonic()
        state, attempt = self._state, self._in_flight
        if state.held(now) or (attempt is not None and not state.breaker.departs(attempt.permit, now)):
            return False
        self.queued(now - self._leaves_at)
        self._leaves_at = now
        return True

    def withdrawn(self) -> None:
        """Take back a request that had leave and did not go: it counts nowhere, and the same call goes on."""
        self._let_go()

    def moved_on(self) -> None:
        """End the call well: a redirect led to another service, where another call goes on."""
        self._end(success=True)

    def waits_out(self, seconds: float) -> bool:
        """Return whether the caller waits out a pause of this length; not where a replica answers at once."""
        stand_in = self._stand_in if self._is_steered else self._state.stand_in
        return stand_in is None and seconds <= self.patience

    def repeat_at_most(self, times: int) -> None:
        """Try again no oftener than so."""
        self._retries_left = min(self._retries_left, times)

    def resumed(self, seconds: float) -> None:
        """Go on with an answer, a part of which the caller has had for so long: not the service's time, and never repeated."""
        self.queued(seconds)
        self._leaves_at += seconds
        self._retries_left = 0

    # ------------------------------------------------------------------------------------- for Services.admit

    @property
    def missing_place(self) -> Bulkhead | None:
        """The bulkhead in which the request has no place yet."""
        return None if self._place is not None else self._state.bulkhead

    @property
    def missing_claim(self) -> bool:
        """Whether the other processes must be asked for the right to probe."""
        return self._unclaimed

    def queue(self, bulkhead: Bulkhead, wake: Callable[[], bool]) -> Waiter:
        """Stand in the bulkhead's queue; raises :class:`BulkheadFullError` if it is too long."""
        name = self._state.spec.name
        waiter = bulkhead.queue(wake)
        if waiter is None:
            message = f"{bulkhead.places} calls to {name} are under way and {self._state.spec.max_waiting} wait for a place"
            raise self._refused(BulkheadFullError(message))
        return waiter

    def seated(self, bulkhead: Bulkhead) -> None:
        """Take the place that was waited for."""
        self._place = bulkhead

    def overdue(self, why: str) -> CallError | Spared | Elsewhere:
        """End the call because what it waited for did not come before its deadline; returns the error to raise."""
        return self._refused(ServiceTimeoutError(why))

    def claimed(self, free_at: float | None) -> None:
        """Go on as the one probe of all processes; where another has it until ``free_at``, raise :class:`CircuitOpenError`."""
        self._unclaimed = False
        if free_at is None:
            self._claim = True
            return
        assert self._in_flight is not None  # noqa: S101 - the probe's own attempt
        self._state.breaker.postpone(self._in_flight.permit, free_at)
        raise self._refused(self._state.circuit_open(free_at - self._clock.monotonic()))

    def left(self) -> float:
        """Return how many seconds of the call's deadline are left."""
        return self._left(self._clock.monotonic())

    def spent(self) -> float:
        """Return how many seconds of the call's deadline are gone."""
        return 0.0 if self._started is None else self._clock.monotonic() - self._started

    def follows(self, spent: float) -> None:
        """Begin where a redirect led: what the calls before it have spent is gone from the deadline, and no response time."""
        self._started = self._clock.monotonic() - spent
        self._waited += spent

    def begin_to_wait(self) -> float:
        """Let the deadline run, if it does not yet; return the moment, for :meth:`waited`."""
        now = self._clock.monotonic()
        if self._started is None:
            self._started = now
        return now

    def waited(self, began: float) -> None:
        """Leave the time since ``began`` out of the response time: it says nothing about the service."""
        now = self._clock.monotonic()
        self._waited += now - began
        self._leaves_at = now

    # ------------------------------------------------------------------------------------------------- inside

    def _go_on(self, state: ServiceState, error: ServiceError) -> None:
        super()._go_on(state, error)
        self._unclaimed = False

    def _anew(self, attempt: Attempt, now: float, left: float) -> float:
        """Return how long an attempt that has waited must wait once more."""
        state = self._state
        try:
            wait = max(state.turn(now, left, is_seated=True), attempt.permit.at - now)
        except ServiceError as refusal:
            raise self._held_back(refusal) from None
        if state.paced:
            wait = self._in_turn(now, wait)
        self._waited += wait
        self._leaves_at = now + wait
        return wait

    def _in_turn(self, now: float, wait: float) -> float:
        """Return how long to wait for the next turn in the rate, which is taken; at least ``wait``.

        Who has no place takes none and waits for that first: turns that pass in a queue would all be spent when it moves.
        """
        state = self._state
        bulkhead = state.bulkhead
        if bulkhead is not None and self._place is None:
            if not bulkhead.enter():
                self._turn_ends = now
                return 0.0
            self._place = bulkhead
        wait = max(wait, state.take_turn(now))
        self._turn_ends = now + wait + state.rate.gap
        return wait

    def _has_missed_its_turn(self, attempt: Attempt, now: float) -> bool:
        """Tell whether the next one's turn has come while something else than the turn was waited for."""
        return self._state.paced and attempt.wait == 0 and now >= self._turn_ends

    def _held_back(self, refusal: ServiceError) -> CallError | Spared | Elsewhere:
        if refusal.retry_after is not None:  # asked to be left alone, or no place within our own rate
            self._note("rate_limited")
        return self._refused(refusal)

    def _left(self, now: float) -> float:
        return self._state.deadline if self._started is None else self._started + self._state.deadline - now

    def _sits_out(self, seconds: float) -> bool:
        """Return whether the call waits out one more pause; if so, leave it out of the deadline."""
        paused = self._paused + max(seconds, _LEAST_PAUSE)
        if not (self.is_repeated and self.waits_out(paused)):
            return False
        self._paused = paused
        self.queued(seconds)
        return True

    def _refused(self, refusal: ServiceError) -> CallError | Spared | Elsewhere:
        error = self._last_error
        if error is None:
            return self._ended(refusal)
        if error.retry_after is None:
            error.retry_after = refusal.retry_after
        error.parked_until = refusal.parked_until
        return self._ended(error)
