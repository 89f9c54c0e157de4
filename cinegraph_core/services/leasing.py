"""Fetches the leases on which the calls of one service and size are counted, from the count that all processes share.

If the count cannot be reached, leased calls may still go; then all are refused, because an uncounted call could exceed the
limit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from cinegraph_core.contracts import Clock, ServiceSpec
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.resilience.allowance import Allowance, Granted, Lease, Limit, Mark, Refused, Report
from cinegraph_core.services.exhaustion import NO_MAXIMUM, UNREACHABLE
from cinegraph_core.services.rules import UNMEASURED, Rule, tell
from cinegraph_core.services.shared import SharedState

if TYPE_CHECKING:
    from cinegraph_core.storage.shared_store import SharedStore

log = logging.getLogger(__name__)
LEASE = 10.0
"""Seconds within which leased calls have to begin; short, so that a killed process does not hold them for long."""
_GRACE = 10.0
"""Seconds beyond lease and timeout after which a lease counts as used up: its process has gone silent."""
_ASK_AGAIN = 1.0
"""Seconds a refusal is taken as final; then somebody may have given places back."""
_LONGEST_CALL = 300.0


class LeaseDesk:
    """Fetches leases into ``allowance`` for everybody who waits, and reports what became of them.

    ``rules`` returns the limits that hold now. With ``ahead``, more calls are leased than wait.
    """

    def __init__(
        self, spec: ServiceSpec, rules: Callable[[], tuple[Rule, ...]], *, ahead: bool, clock: Clock, shared: SharedState | None
    ) -> None:
        self.allowance = Allowance()
        self._service = spec.name
        self._rules = rules
        self._ahead = ahead
        self._silence = LEASE + min(spec.timeout or _LONGEST_CALL, _LONGEST_CALL) + _GRACE
        self._clock = clock
        self._shared = shared
        self._asking = threading.Lock()
        self._waiting = 0
        self._asked: Future[None] | None = None

    def ask(self) -> Future[None]:
        """Ask for a lease for everybody who waits; when the result is there, the allowance gives one or raises."""
        with self._asking:
            self._waiting += 1
            if self._asked is not None:
                return self._asked
            asked = self._asked = Future[None]()
        if self._shared is None or not self._shared.submit(self._fetch):
            self._fetch()
        return asked

    def report(self, shared: SharedState, *, ending: bool) -> None:
        """Report what was used and give back what is not needed; on the thread of the shared state."""
        self._deliver(shared, self.allowance.report(ending=ending))

    def report_at_once(self) -> None:
        """Have what was used reported now: what a call reserved in vain, the next one may need."""
        if (shared := self._shared) is not None:
            shared.submit(lambda: self._deliver(shared, self.allowance.report(at_once=True)))

    def _deliver(self, shared: SharedState, reports: list[Report]) -> None:
        while reports:
            try:
                marks = shared.use(partial(_settle, reports[-1]))
            except Exception:
                for report in reports:
                    self.allowance.undelivered(report)
                raise
            reports.pop()
            for mark in marks:
                tell(mark)

    def _fetch(self) -> None:
        with self._asking:
            asked, self._asked = self._asked, None
            needed, self._waiting = self._waiting, 0
        try:
            self._lease(needed)
        except Exception as error:  # noqa: BLE001 - a guard that breaks must refuse, and must not leave anybody waiting
            log.error("no call to %s can be counted, so none may go: %s", self._service, error)  # noqa: TRY400
            now = self._clock.now()
            self.allowance.refuse(UNREACHABLE, now + _ASK_AGAIN, now=now, ask_again=now + _ASK_AGAIN)
        finally:
            if asked is not None:
                asked.set_result(None)

    def _lease(self, needed: int) -> None:
        if self._shared is None:
            raise ConfigurationError("there is no database to count in")
        rules, now = self._rules(), self._clock.now()
        if any(rule.units == UNMEASURED for rule in rules):
            self.allowance.refuse(NO_MAXIMUM, inf, now=now, ask_again=inf)
            return
        limits = [rule.limit(now) for rule in rules]
        free, under_way = self.allowance.holdings()
        answer = self._answer(self._shared, limits, needed, under_way, now)
        if isinstance(answer, Refused) and (reports := self.allowance.report(at_once=True)):
            # What this process has not said yet may be what is missing, and decides how long the limit is full.
            self._deliver(self._shared, reports)
            free, under_way = self.allowance.holdings()
            answer = self._answer(self._shared, limits, needed, under_way, now)
        if isinstance(answer, Granted):
            until = min(now + LEASE, *(limit.end for limit in limits))
            self.allowance.grant(Lease(answer.key, until, answer.calls), now)
        elif not free:  # those who wait take that first, and only when it is under way is it known how long all is full
            self.allowance.refuse(answer.counter, answer.until, now=now, ask_again=min(now + _ASK_AGAIN, answer.until))

    def _answer(self, shared: SharedState, limits: list[Limit], needed: int, under_way: int, now: float) -> Granted | Refused:
        answer = shared.use(
            lambda store: store.lease(
                self._service,
                limits,
                needed=needed,
                ahead=self.allowance.ahead() if self._ahead else 0,
                now=now,
                expires_at=now + self._silence,
                under_way=under_way,
            )
        )
        for mark in answer.marks:
            tell(mark)
        return answer


def _settle(report: Report, store: SharedStore) -> list[Mark]:
    return store.settle(report.lease.key, used=report.used, back=report.back, more=report.more)
