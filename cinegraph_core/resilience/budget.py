"""Money in whole micro-dollars: no float ever adds up prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

MICRO = 1_000_000
"""Micro-dollars in a dollar."""
BUDGETS = frozenset({"daily_budget", "total_daily_budget"})
"""The counters that count micro-dollars; all others count requests."""
MARKS = (80, 100)
"""Percentages of a limit that are logged, once each."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one call to a service that is paid by them: those sent (``input``) and those it answers with (``output``)."""

    input: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a request costs: ``call`` micro-dollars, and ``input`` and ``output`` millionths of one per token sent and received.

    Vendors print dollars per million tokens, which is micro-dollars per token.
    """

    call: int = 0
    input: int = 0
    output: int = 0

    @property
    def by_tokens(self) -> bool:
        """Whether tokens cost anything."""
        return bool(self.input or self.output)

    def cost(self, tokens: Tokens) -> int:
        """Return what a request with these tokens costs, in whole micro-dollars, rounded up."""
        return self.call - -(tokens.input * self.input + tokens.output * self.output) // MICRO


def price_of(dollars: float) -> int:
    """Return a price in micro-dollars, rounded up: a call never costs less than it is said to."""
    return int((Decimal(str(dollars)) * MICRO).to_integral_value(ROUND_CEILING))


def budget_of(dollars: float) -> int:
    """Return a budget in micro-dollars, rounded down."""
    return int((Decimal(str(dollars)) * MICRO).to_integral_value(ROUND_FLOOR))


def marks_passed(used: int, limit: int, told: int, *, least: int = 1) -> list[int]:
    """Return the marks (percent) that ``used`` of ``limit`` has reached beyond ``told``, the lowest first.

    A limit that has no room for another call, which takes at ``least`` so much, has reached 100.
    """
    share = 100 if used + least > limit else used * 100 // limit
    return [mark for mark in MARKS if told < mark <= share]
