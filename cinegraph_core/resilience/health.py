"""How well a service does, read off its breaker, its traffic of the last five minutes, and the last time somebody looked.

Real traffic comes first, because it costs nothing and is what callers met; a probe counts where there is too little. Not
knowing is ``unknown``, never ``healthy``. Pure; the figures come from the record of all processes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from cinegraph_core.resilience.traffic import ANSWERED, REFUSED, SAYS_NOTHING, SLOT, Traffic

HealthStatus = Literal["healthy", "degraded", "down", "unknown"]
Basis = Literal["breaker", "traffic", "probe", "nothing"]
"""What a status is read off."""
HEALTHY, DEGRADED = 0.90, 0.70
"""Shares of calls answered properly: from the first ``healthy``, from the second ``degraded``, below it ``down``. They are the
health page's green, yellow and red."""
HEALTHY_MS, DEGRADED_MS = 1000.0, 3000.0
"""Milliseconds below which an answer is ``healthy`` or ``degraded``; what takes longer is as good as ``down``:
our callers want theirs in half a second."""
TAIL, HALF = 0.10, 0.50
"""Shares of answers over those times that count: a mean would hide four slow calls of ten."""
MINIMUM = 10
"""Fewest calls at which traffic tells: of fewer, a single failure would be more than a tenth."""
FRESH = float(SLOT)
"""Seconds for which a check counts where there is too little traffic."""
_MINUTES = SLOT // 60
_BREAKER = {
    "half_open": "its breaker lets single calls through, to see whether it is back",
    "ramp": "it came back, and its breaker lets a growing share of the calls through",
}


@dataclass(frozen=True, slots=True)
class Health:
    """A status and why it is that, in plain words; ``avg_ms`` is what an answer takes on average, where that is known."""

    status: HealthStatus
    reason: str
    basis: Basis = "nothing"
    avg_ms: float | None = None


_OPEN = Health("down", "its breaker is open: calls are refused", "breaker")


@dataclass(frozen=True, slots=True)
class Look:
    """What came of one probe: milliseconds, requests that left, the error it ended with; or why it was not sent at all."""

    ms: float
    requests: int
    error_type: str | None = None
    message: str = ""
    refusal: str = ""


def by_rate(success_rate: float | None) -> HealthStatus:
    """Return the status that a share of proper answers stands for, ``unknown`` for ``None``."""
    if success_rate is None:
        return "unknown"
    if success_rate >= HEALTHY:
        return "healthy"
    return "degraded" if success_rate >= DEGRADED else "down"


def judge(traffic: Traffic, breaker: str, checked: Health | None = None) -> Health:
    """Return how a service does: its breaker first, then its traffic, then the ``checked`` health of a recent look."""
    if breaker == "open":
        return _OPEN
    found = _by_check(traffic, checked) if _is_thin(traffic) else _by_traffic(traffic)
    if breaker in _BREAKER and found.status != "down":
        return Health("degraded", _BREAKER[breaker], "breaker", found.avg_ms)
    return found


def is_telling(traffic: Traffic) -> bool:
    """Return whether a service's traffic tells how it does: it is enough, and not of a key that may be another by now."""
    return not _is_thin(traffic) and traffic.commonest != "auth_error"


def judge_look(look: Look) -> Health:
    """Return what one probe says; one that was never sent, or asked wrongly, says nothing."""
    kind = look.error_type
    if kind in ANSWERED and not look.refusal:
        return Health(_by_time(look.ms), f"answered a probe in {look.ms:.0f} ms", "probe", look.ms)
    if kind == "circuit_open":
        return _OPEN
    if look.refusal or kind in REFUSED:
        return Health("unknown", f"could not be asked: {look.refusal or look.message}")
    if kind in SAYS_NOTHING:
        return Health("unknown", f"the probe says nothing of it: {look.message}")
    if kind == "rate_limit":
        return Health("degraded", "answers, and asks to be left alone for a while", "probe")
    return Health("down", f"did not answer a probe: {kind}: {look.message}", "probe")


def judge_anew(found: Health, seen: Health) -> Health:
    """Return how a service does whose health was ``found``, after a look ``seen`` just now.

    Where callers met refusals of a key that has been mended since, one answer makes ``down`` ``degraded``.
    """
    if found.basis == "traffic" and found.status == "down" and seen.status in ("healthy", "degraded"):
        return replace(seen, status="degraded", reason=f"{seen.reason}; but {found.reason}")
    return found


def _is_thin(traffic: Traffic) -> bool:
    return traffic.calls < MINIMUM


def _by_time(ms: float) -> HealthStatus:
    if ms < HEALTHY_MS:
        return "healthy"
    return "degraded" if ms < DEGRADED_MS else "down"


def _by_traffic(traffic: Traffic) -> Health:
    calls, answered = traffic.calls, traffic.answered
    rated = by_rate(answered / calls)
    slow, late = traffic.over_3s >= HALF * answered, traffic.over_1s > TAIL * answered
    status: HealthStatus = "down" if slow else "degraded" if rated == "healthy" and late else rated
    if rated != "healthy" and rated == status:
        reason = f"{traffic.failed} of {calls} calls in the last {_MINUTES} minutes failed{traffic.mostly}"
    elif slow:
        reason = f"{traffic.over_3s} of {answered} answers took {DEGRADED_MS / 1000:g} s or longer"
    elif late:
        reason = f"{traffic.over_1s} of {answered} answers took {HEALTHY_MS / 1000:g} s or longer"
    else:
        reason = f"{answered} of {calls} calls in the last {_MINUTES} minutes answered"
    return Health(status, reason, "traffic", traffic.avg_ms)


def _by_check(traffic: Traffic, checked: Health | None) -> Health:
    if traffic.calls == 0:
        said = f"nobody asked it in the last {_MINUTES} minutes"
    else:
        said = f"{traffic.calls} calls in the last {_MINUTES} minutes are too few to tell"
        if traffic.failed:
            said += f", and {traffic.failed} failed{traffic.mostly}"
    if checked is None or checked.status == "unknown":
        return Health("unknown", said)
    if traffic.failed and checked.status == "healthy":
        doubt = f"{checked.reason}; but {traffic.failed} of {traffic.calls} calls in {_MINUTES} minutes failed{traffic.mostly}"
        return replace(checked, status="degraded", reason=doubt)
    return checked
