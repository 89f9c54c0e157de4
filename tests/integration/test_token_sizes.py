"""Calls with many different maxima: each pays its own most, and what is reserved for it is hardly more than that."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cinegraph_core.errors import BudgetExceededError
from cinegraph_core.resilience.budget import MICRO, Tokens
from cinegraph_core.services import guarded
from cinegraph_core.services.limits import Limits
from cinegraph_core.services.rules import rules_of
from cinegraph_core.testing import FakeClock
from tests.support.door import NAME
from tests.support.token_desk import NOW, SPEC, Desk, opened, usage

PRICES: dict[str, Any] = {"price_per_million_input_tokens_usd": 1.0, "price_per_million_output_tokens_usd": 0.0}
CHEAP = dataclasses.replace(SPEC, max_input_tokens=100, max_output_tokens=0, **PRICES)
"""A token sent costs a micro-dollar."""
MANY = [1001 + number for number in range(40)]
"""More different maxima than are told apart exactly."""


def may_take(desk: Desk, most: int, outcome: Any = None) -> Any:
    """Make one call that may take ``most`` tokens; unless ``outcome`` says so, nobody says how many it took."""
    return desk.function(outcome or {}, tokens=Tokens(most, 0))()


def test_lesson_26_forty_sizes_of_calls_are_charged_no_more_than_what_they_may_take(database_url: str) -> None:
    budget = sum(MANY) + MANY[-1] // 16
    with opened(database_url, spec=CHEAP, daily_budget_usd=budget / MICRO) as desk:
        for most in MANY:
            may_take(desk, most)
        assert desk.spends(sum(MANY))
        with pytest.raises(BudgetExceededError):
            may_take(desk, MANY[-1])
        assert desk.spends(sum(MANY))


def test_the_record_of_each_of_many_sizes_says_what_the_call_itself_cost(database_url: str) -> None:
    with opened(database_url, spec=CHEAP) as desk:
        for most in MANY:
            may_take(desk, most)
        may_take(desk, 5001, usage(prompt=17, completion=0))
        assert desk.spends(sum(MANY) + 17)
    *silent, telling = [row.metadata for row in desk.rows.all]
    assert silent == [{"cost_micro_usd": most} for most in MANY]
    assert telling == {"input_tokens": 17, "output_tokens": 0, "cost_micro_usd": 17}


def test_what_is_reserved_beyond_many_sizes_is_at_most_a_sixteenth_too_much_and_released_in_full(database_url: str) -> None:
    with opened(database_url, spec=CHEAP, max_input_tokens=None) as desk:
        for most in MANY:
            may_take(desk, most)
        spent = sum(MANY)
        assert desk.spends(spent)

        def reserved_for(most: int) -> int:
            @guarded(NAME, services=desk.services, tokens=Tokens(most, 0))
            def ask() -> int:
                return desk.money[1]

            return ask()

        for most in (2, 1025, 2049, 32_769, 99_999):
            assert most <= reserved_for(most) <= most + most // 16
            spent += most
            assert desk.spends(spent)


def test_calls_of_one_rounded_size_side_by_side_are_each_charged_their_own(database_url: str) -> None:
    with opened(database_url, spec=CHEAP) as desk:
        for most in MANY:
            may_take(desk, most)
        near = [70_001 + number for number in range(10)]
        with ThreadPoolExecutor(5) as crowd:
            list(crowd.map(lambda most: may_take(desk, most), near))
        assert desk.spends(sum(MANY) + sum(near))


def test_a_call_that_takes_more_than_it_may_is_counted_in_full_whatever_its_size_is_rounded_to(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(database_url, spec=CHEAP) as desk:
        for most in MANY:
            may_take(desk, most)
        may_take(desk, 5001, usage(prompt=90_000, completion=0))
        assert desk.spends(sum(MANY) + 90_000)
    assert [record.message for record in caplog.records if "cost $0.09, more than the $0.01 reserved" in record.message]


def test_a_call_that_may_take_nothing_is_charged_nothing(database_url: str) -> None:
    with opened(database_url, spec=CHEAP, max_input_tokens=0) as desk:
        desk.function({})()
        may_take(desk, 0)
        may_take(desk, 7)
        assert desk.spends(7)
    assert [row.metadata for row in desk.rows.all] == [{"cost_micro_usd": cost} for cost in (0, 0, 7)]


def test_thousands_of_different_maxima_make_few_sizes() -> None:
    spec = dataclasses.replace(CHEAP, daily_budget_usd=1.0)
    limits = Limits(spec, rules_of(spec, None), clock=FakeClock(NOW), shared=None)
    maxima = [*range(1, 5000), *range(5000, MICRO, 97)]
    sizes = {id(limits.sized(Tokens(most, 0))) for most in maxima}
    # 32 exact ones, then sixteen for each of the fifteen doublings up to 2^20.
    assert len(sizes) <= 32 + 16 * 15
    assert {id(limits.sized(Tokens(most, 0))) for most in maxima} == sizes, "what a call reserved is what it is settled by"
