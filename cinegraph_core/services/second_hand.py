"""How a call ends with an answer that it did not ask for itself: a kept one, or what somebody else's request brought."""

from __future__ import annotations

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import NotFoundError
from cinegraph_core.services.account import CallAccount
from cinegraph_core.services.judging import CallError, Ruling, rule
from cinegraph_core.services.verdicts import Done, Elsewhere, Spared


class SecondHand(CallAccount):
    """The part of a call that judges such an answer, by the call's own reader."""

    refused_by: Answer | None = None
    """Such an answer, where the call ended with the error in it."""

    @property
    def company(self) -> str:
        """What to add to the key of a request under way, so that only calls that would end alike share it."""
        call = self.call
        is_repeated = call.retry and call.idempotent is not False
        if is_repeated and self._stand_in is None and self._state.stand_in is None:
            return ""
        stand_in = self._stand_in if self._is_steered else self._state.stand_in
        return ("" if stand_in is None else " or replica") + ("" if is_repeated else " once")

    def recalled(self, answer: Answer, *, absent: bool = False) -> Done | None:
        """End the call with a kept answer; ``None`` if this call's reader cannot read it, so that it has to be asked for.

        Raises :class:`NotFoundError` or :class:`NoDataError` where the answer says that there is no such thing; for one that
        was kept as ``absent``, also to a call that does not expect it.
        """
        ruling = self._judged(answer)
        is_told = ruling.error is None or ruling.absent or (absent and isinstance(ruling.error, NotFoundError))
        return self._taken(ruling, answer) if is_told else None

    def told(self, answer: Answer) -> Done:
        """End the call with an answer that cannot be had otherwise: what another caller's request has just brought.

        Raises the :class:`ServiceError` or :class:`PageError` this call finds in it, or in its place :class:`Spared` or
        :class:`Elsewhere`.
        """
        return self._taken(self._judged(answer), answer)

    def shares(self, error: CallError) -> CallError | Spared | Elsewhere:
        """End the call with the error of another caller's request; return it to be raised, or a stale answer in its place.

        No replica is asked: where one may be, that caller has asked it.
        """
        self.steer(None)
        return self._ended(error)

    def _judged(self, answer: Answer) -> Ruling:
        return rule(self.call, self._state.spec, answer, self._clock.now())

    def _taken(self, ruling: Ruling, answer: Answer) -> Done:
        if ruling.error is not None:
            ended = self._ended(ruling.error, success=ruling.absent, provenance=answer.provenance)
            self.refused_by = answer if ended is ruling.error else None
            raise ended
        self._end(success=True, error_type=None if ruling.found else "not_found", provenance=answer.provenance)
        return Done(ruling.value, answer)
