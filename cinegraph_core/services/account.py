"""The account of one logical call: the requests that left, what they are counted on, and the one row the call leaves."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

from cinegraph_core.contracts import Answer, Call, Clock
from cinegraph_core.errors import BudgetExceededError, CircuitOpenError, ErrorType, QuotaExceededError, ServiceError
from cinegraph_core.records import Measurement, Provenance
from cinegraph_core.resilience.allowance import Lease
from cinegraph_core.resilience.bulkhead import Bulkhead
from cinegraph_core.services.exhaustion import may_be_spared
from cinegraph_core.services.judging import CallError, rule
from cinegraph_core.services.limits import Limits
from cinegraph_core.services.state import ServiceState
from cinegraph_core.services.usage import tokens_used
from cinegraph_core.services.verdicts import Attempt, Done, Elsewhere, Proper, Recorder, Spared

_REFUSALS = (CircuitOpenError, QuotaExceededError, BudgetExceededError)
_MESSAGE_LENGTH = 500


class CallAccount:
    """What is kept of a call while it lasts; whichever way it ends, it leaves exactly one measurement.

    ``on_sent`` is called once for every request that left.
    """

    # Defaults of the class: most calls never set them, and every call would pay for setting them.
    ended = False
    """Whether the measurement has been made."""
    sent = 0
    """How many requests of it have left."""
    spare: Answer | None = None
    """A stale answer with which the call ends where no other can be had."""
    proper: Proper | None = None
    """The answer the call ended with, where it may be kept."""
    doubtful: Answer | None = None
    """The last answer, where only this call finds an error in it: another caller may judge it otherwise."""
    _stand_in: Callable[[], ServiceState] | None = None
    _is_steered = False
    """Whether ``_stand_in`` counts, not the service's own."""
    _instead_of: CallError | None = None
    """Why the replica is asked."""
    _reason: str | None = None
    """The same, in words for the record."""
    _started: float | None = None
    _waited = 0.0
    _place: Bulkhead | None = None
    """The bulkhead in which the request has a place."""
    _unclaimed = False
    """Whether it has leave to probe, and other processes have not been asked yet."""
    _claim = False
    """Whether it is the one probe of all processes."""
    _in_flight: Attempt | None = None
    _charge: Lease | None = None

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
        self._state = state
        self._clock = clock
        self._recorder = recorder
        self._rng = rng
        self._on_sent = on_sent
        self._retries_left = state.spec.retries if call.may_be_repeated(method) else 0
        self._notes: dict[str, int] = {}

    @property
    def state(self) -> ServiceState:
        """The state of the side that is asked now."""
        return self._state

    @property
    def limits(self) -> Limits:
        """The limits of the service, for calls of this one's size."""
        limits = self._state.limits
        return limits if self.call.tokens is None else limits.sized(self.call.tokens)

    def steer(self, stand_in: Callable[[], ServiceState] | None) -> None:
        """Let this replica, or nobody, answer where the service is refused, whatever the service's mode is."""
        self._is_steered, self._stand_in = True, stand_in

    @property
    def tried(self) -> bool:
        """Whether a request of this call has left, or could not."""
        return bool(self.sent) or "unsent" in self._notes

    def queued(self, seconds: float) -> None:
        """Leave ``seconds`` spent in a scheduler's queue out of the deadline and of the response time."""
        if self._started is not None:
            self._started += seconds

    def forget(self) -> None:
        """End a call that was given up before a request of it left, without a record: it says nothing of its service."""
        self._let_go()
        self.ended = True

    def _count(self, *, sent: bool, outcome: object = None) -> None:
        """Count a request that left or did not; ``outcome`` is what came of it and may tell what it cost."""
        if self._charge is not None:
            limits = self._state.limits
            if sent and limits.by_tokens:
                self._pay(self._charge, outcome)
            else:
                limits.settle(self._charge, sent=sent)
            self._charge = None
        if not sent:
            self._note("unsent")
            return
        self.sent += 1
        if self._on_sent is not None:
            self._on_sent()

    def _pay(self, charge: Lease, outcome: object) -> None:
        """Pay for the tokens that a request took, and write them into the record."""
        used = tokens_used(outcome, self.call.usage)
        cost = self.limits.pay(charge, used, self.call.tokens)
        if used is not None:
            self._note("input_tokens", used.input)
            self._note("output_tokens", used.output)
        if cost is not None and self._state.provenance == "live":
            self._note("cost_micro_usd", cost)

    def _note(self, what: str, number: int = 1) -> None:
        self._notes[what] = self._notes.get(what, 0) + number

    def _ended(
        self, error: CallError, *, success: bool = False, provenance: Provenance | None = None
    ) -> CallError | Spared | Elsewhere:
        """Record the end and return the error, named and without secrets, for the caller to raise; or a spare answer.

        Where a replica may answer instead, the call has not ended; :class:`Elsewhere` says so.
        """
        if self._instead_of is not None and not success:
            error, provenance = self._instead_of, "live"  # the service's own error is the reason, not the replica's
        if isinstance(error, ServiceError):
            error.service = error.service or self.call.service
        text = str(error)
        clean = self._state.redact(text)
        if clean != text:
            error.args = (clean,)
            error.__cause__ = None
            error.__suppress_context__ = True
        if self._instead_of is None and isinstance(error, ServiceError) and (error.transient or isinstance(error, _REFUSALS)):
            stand_in = self._stand_in if self._is_steered else self._state.stand_in
            may_be_stale = stand_in is not None or may_be_spared(self._state.spec, error)
            if may_be_stale and (spared := self._spared(clean)) is not None:
                return spared
            if stand_in is not None:
                self._go_on(stand_in(), error)
                return Elsewhere()
        error.provenance = error.provenance or provenance or self._state.provenance
        self._end(success=success, error_type=error.error_type, message=clean, provenance=provenance)
        return error

    def _spared(self, reason: str) -> Spared | None:
        """End the call with its spare answer, if it has one that can be read."""
        if self.spare is None:
            return None
        spare, self.spare = self.spare, None
        ruling = rule(self.call, self._state.spec, spare, self._clock.now())
        if ruling.error is not None:
            return None
        self._state.cache.count("stale")
        self._end(success=True, message=reason, provenance=spare.provenance)
        return Spared(Done(ruling.value, spare))

    def _go_on(self, state: ServiceState, error: ServiceError) -> None:
        """Turn to the replica, which has the time that is left, but at least that of one attempt; the record says why."""
        self._let_go()
        if self._started is not None:
            now = self._clock.monotonic()
            started = max(self._started, now - max(0.0, state.deadline - state.timeout))
            self._waited -= started - self._started
            self._started = started
        if self.tried:
            self._note("unanswered")
        self._instead_of, self._reason = error, str(error)[:_MESSAGE_LENGTH]
        self._state = state

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
        call, state = self.call, self._state
        self._recorder.record(
            Measurement(
                source=call.service,
                operation=call.operation,
                target_identifier=state.redact(call.target.strip()) or call.operation,
                success=success,
                inserted_at=datetime.fromtimestamp(self._clock.now(), UTC),
                attempts=self.sent,
                provenance=provenance or state.provenance,
                response_time_ms=self._elapsed_ms(),
                error_type=error_type,
                error_message=message[:_MESSAGE_LENGTH] if message else self._reason,
                metadata=self._notes,
            )
        )

    def _let_go(self) -> None:
        if self._charge is not None:
            self._state.limits.settle(self._charge, sent=False)
            self._charge = None
        if self._in_flight is not None:
            self._state.breaker.release(self._in_flight.permit)
            self._landed()

    def _landed(self) -> None:
        """Give back what the request under way held; the breaker has been told."""
        self._in_flight = None
        if self._place is not None:
            self._place.leave()
            self._place = None
        if self._unclaimed or self._claim:
            self._unprobe()

    def _unprobe(self) -> None:
        # One given up while it was claimed may be ours as well; what another process has, stays as it is.
        if self._state.probes is not None:
            self._state.probes.end(self._state.breaker.retry_at(self._clock.monotonic()))
        self._unclaimed = self._claim = False

    def _elapsed_ms(self) -> float | None:
        if self._started is None or not (self.sent or self.tried):
            return None
        # Waits for our own limits say nothing about the service.
        elapsed = self._clock.monotonic() - self._started - self._waited
        return elapsed * 1e3 if elapsed > 0 else 0.0
