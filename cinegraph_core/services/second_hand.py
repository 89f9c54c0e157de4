"""How a call ends with an answer that it did not ask for itself: a kept one, or what somebody else's request brought."""

from __future__ import annotations

from cinegraph_core.contracts import Answer
from cinegraph_core.services.account import CallAccount
from cinegraph_core.services.judging import Ruling, rule
from cinegraph_core.services.verdicts import Done


class SecondHand(CallAccount):
    """The part of a call that judges such an answer, by the call's own reader."""

    def recalled(self, answer: Answer) -> Done | None:
        """End the call with a kept answer; ``None`` if this call's reader cannot read it, so that it has to be asked for.

        Raises :class:`NotFoundError` or :class:`NoDataError` where the answer says that there is no such thing.
        """
        ruling = self._judged(answer)
        return self._taken(ruling, answer) if ruling.error is None or ruling.absent else None

    def told(self, answer: Answer) -> Done:
        """End the call with an answer that cannot be had otherwise: what another caller's request has just brought.

        Raises the :class:`ServiceError` or :class:`PageError` this call finds in it, or in its place :class:`Spared` or
        :class:`Elsewhere`.
        """
        return self._taken(self._judged(answer), answer)

    def _judged(self, answer: Answer) -> Ruling:
        return rule(self.call, self._state.spec, answer, self._clock.now())

    def _taken(self, ruling: Ruling, answer: Answer) -> Done:
        if ruling.error is not None:
            raise self._ended(ruling.error, success=ruling.absent, provenance=answer.provenance)
        self._end(success=True, error_type="not_found" if ruling.absent else None, provenance=answer.provenance)
        return Done(ruling.value, answer)
