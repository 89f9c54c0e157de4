"""Which faults a service shall show: their kinds, their conditions, and the board that decides for each request."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

from cinegraph_core import UsageError

STATUS_KINDS = ("401", "403", "404", "429", "500", "502", "503", "504")
KINDS = (*STATUS_KINDS, "garbage", "html", "waf", "slow", "hang", "reset", "cut", "drip", "truncated")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one service and when it strikes.

    ``rate`` is the share of requests hit, ``retry_after`` goes into that header (seconds; 429 sends 1 without it).
    ``seconds`` is how long ``slow`` waits before the answer (8), ``hang`` keeps silent (3600) or ``drip`` pauses between
    two bytes (1). It strikes only from the ``after``-th request of the service since the last reset on, at most
    ``times`` times, and only where ``path`` is part of the request's path.
    """

    service: str
    kind: str
    rate: float = 1.0
    retry_after: float | None = None
    seconds: float | None = None
    after: int = 0
    times: int | None = None
    path: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"unknown kind {self.kind!r} of fault; the kinds are {', '.join(KINDS)}")
        if not 0 <= self.rate <= 1:
            raise UsageError(f"a fault's rate is a share between 0 and 1, not {self.rate}")


_FIELDS = {field.name for field in fields(Fault)}
_NUMBERS: dict[str, type[float] | type[int]] = {"rate": float, "retry_after": float, "seconds": float, "after": int, "times": int}


def fault_from(values: Mapping[str, Any]) -> Fault:
    """Return the fault that loose values (JSON, command line) describe; raises :class:`UsageError` for what is wrong."""
    if unknown := sorted(set(values) - _FIELDS):
        raise UsageError(f"unknown field {unknown[0]!r} of a fault; the fields are {', '.join(sorted(_FIELDS))}")
    if missing := [name for name in ("service", "kind") if not values.get(name)]:
        raise UsageError(f"a fault needs {missing[0]!r}, e.g. {{'service': 'tmdb', 'kind': '429'}}")
    typed = dict(values, kind=str(values["kind"]))
    for name, number in _NUMBERS.items():
        if typed.get(name) is None:
            typed.pop(name, None)
            continue
        try:
            typed[name] = number(typed[name])
        except (TypeError, ValueError) as error:
            raise UsageError(f"a fault's {name} is a number, not {values[name]!r}") from error
    return Fault(**typed)


def parse_fault(text: str) -> Fault:
    """Return the fault written ``SERVICE=KIND[:RATE][,FIELD=VALUE…]``, e.g. ``tmdb=429:0.2,retry_after=2``.

    Raises :class:`UsageError` for anything else.
    """
    head, *more = text.split(",")
    service, equals, effect = head.partition("=")
    kind, _, rate = effect.partition(":")
    if not (service.strip() and equals and kind.strip()):
        raise UsageError(f"cannot read the fault {text!r}; write SERVICE=KIND[:RATE], e.g. tmdb=429:0.2")
    values = {"service": service.strip(), "kind": kind.strip(), **({"rate": rate} if rate else {})}
    for item in more:
        name, _, value = item.partition("=")
        values[name.strip()] = value.strip()
    return fault_from(values)


class Board:
    """What the replica counted, and the fault set for each service; used from the server's event loop only."""

    def __init__(self, seed: int = 7) -> None:
        self.faults: dict[str, Fault] = {}
        self.counts: Counter[str] = Counter()
        self.times: deque[float] = deque(maxlen=100_000)
        self._struck: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311  # repeatable, nothing secret

    def set(self, fault: Fault) -> None:
        """Let a service show this fault, instead of the one it showed."""
        self.faults[fault.service] = fault
        self._struck[fault.service] = 0

    def clear(self, service: str) -> None:
        """Let a service be well again."""
        self.faults.pop(service, None)

    def reset(self) -> None:
        """Forget every fault and count."""
        self.faults.clear()
        self.counts.clear()
        self.times.clear()
        self._struck.clear()

    def admit(self, service: str, route: str, path: str) -> Fault | None:
        """Count a request that has come in, and return the fault that strikes it."""
        self.counts[service] += 1
        self.counts[route] += 1
        fault = self.faults.get(service)
        if fault is None or not self._strikes(fault, path):
            return None
        self._struck[service] += 1
        self.counts[f"{service}:{fault.kind}"] += 1
        return fault

    def _strikes(self, fault: Fault, path: str) -> bool:
        if fault.path not in path or self.counts[fault.service] < fault.after:
            return False
        if fault.times is not None and self._struck[fault.service] >= fault.times:
            return False
        return self._random.random() < fault.rate

    def statistics(self) -> dict[str, Any]:
        """Return the counts and how long answers took (milliseconds)."""
        times = self.times or [0.0]
        return {"counts": dict(self.counts), "median_ms": 1000 * median(times), "max_ms": 1000 * max(times)}
