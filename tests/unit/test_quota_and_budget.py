"""What figures of quotas and budgets mean, and what a provider's headers say."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.budget import BUDGETS, Tariff, budget_of, mark_passed, price_of
from cinegraph_core.resilience.quota import quota_status, spent_until

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("used", "limit", "status"),
    [
        (0, 100, "healthy"),
        (0, 1, "healthy"),
        (799, 1000, "healthy"),
        (80, 100, "warning"),
        (95, 100, "warning"),
        (96, 100, "critical"),
        (0, 0, "critical"),
    ],
)
def test_a_quota_is_healthy_below_80_percent_and_critical_above_95(used: int, limit: int, status: str) -> None:
    assert quota_status(used, limit) == status


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"}, NOW + 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW + 90)}, NOW + 90),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, NOW + 30),
        ({"x-ratelimit-remaining": "0", "retry-after": "120"}, NOW + 120),
        ({"x-ratelimit-remaining": "0", "retry-after": "Tue, 14 Nov 2023 22:15:20 GMT"}, NOW + 120),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "inf", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "nan", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "none", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "inf"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW - 5)}, None),
        ({"retry-after": "60"}, None),
        ({}, None),
    ],
)
def test_lesson_25_a_provider_that_says_nothing_is_left_is_believed(headers: dict[str, str], until: float | None) -> None:
    assert spent_until(headers, NOW) == until


def test_two_counters_count_money_and_all_others_requests() -> None:
    assert sorted(BUDGETS) == ["daily_budget", "total_daily_budget"]


def test_money_is_whole_micro_dollars_a_price_rounded_up_and_a_budget_down() -> None:
    assert price_of(0.1) == 100_000
    assert price_of(0.000_000_4) == 1
    assert budget_of(1.0) == 1_000_000
    assert budget_of(0.999_999_9) == 999_999
    assert sum([price_of(0.1)] * 10) == budget_of(1.0)


def test_a_tariff_is_by_tokens_if_either_kind_costs_something_and_by_default_nothing_does() -> None:
    assert [one.by_tokens for one in (Tariff(), Tariff(call=1), Tariff(input=1), Tariff(output=1))] == [False, False, True, True]
    assert Tariff() == Tariff(call=0, input=0, output=0)


@pytest.mark.parametrize(
    ("used", "told", "mark"), [(70, 0, 0), (80, 0, 80), (80, 80, 0), (90, 80, 0), (100, 80, 100), (100, 100, 0), (100, 0, 100)]
)
def test_each_mark_of_a_limit_is_told_once(used: int, told: int, mark: int) -> None:
    assert mark_passed(used, 10, 100, told) == mark


def test_a_mark_is_not_told_before_it_is_reached() -> None:
    assert mark_passed(799, 10, 1000, 0) == 0


def test_a_budget_without_room_for_another_call_is_used_up() -> None:
    assert mark_passed(90, 30, 100, 80) == 100
