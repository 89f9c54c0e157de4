"""What figures of quotas and budgets mean, and what a provider's headers say."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.budget import BUDGETS, Tariff, budget_of, mark_passed, price_of
from cinegraph_core.resilience.quota import LONGEST_WINDOW, Left, ProvidersWord, calls_left, quota_status
from cinegraph_core.services.rules import moment

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
    ("headers", "left"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"}, Left(0, NOW + 60)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW + 90)}, Left(0, NOW + 90)),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, Left(0, NOW + 30)),
        ({"x-ratelimit-remaining": "0", "retry-after": "120"}, Left(0, NOW + 120)),
        ({"x-ratelimit-remaining": "0", "retry-after": "Tue, 14 Nov 2023 22:15:20 GMT"}, Left(0, NOW + 120)),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "60"}, Left(7, NOW + 60)),
        ({"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "60"}, Left(0, NOW + 60)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int((NOW + 30) * 1000))}, Left(0, NOW + 30)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 15}, Left(0, NOW + LONGEST_WINDOW)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW + 2 * LONGEST_WINDOW)}, Left(0, NOW + LONGEST_WINDOW)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 9}, Left(0, NOW + LONGEST_WINDOW)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 400}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}, Left(0, NOW + 1)),
        ({"x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "6m0s"}, Left(59, NOW + 360)),
        ({"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "500ms"}, Left(9, NOW + 0.5)),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1d2h0m1.5s"}, Left(0, NOW + 93_601.5)),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9" * 400 + "s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6 minutes"}, None),
        ({"x-ratelimit-remaining": "inf", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "nan", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "none", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "inf"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW - 5)}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "60", "retry-after": "5"}, Left(0, NOW + 60)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "999999999"}, Left(0, NOW + 2_764_800)),  # seconds; 32 days
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000000"}, None),  # a moment in 2001
        ({"retry-after": "60"}, None),
        ({}, None),
    ],
)
def test_lesson_25_a_provider_that_says_nothing_is_left_is_believed(headers: dict[str, str], left: Left | None) -> None:
    assert calls_left(headers, NOW) == left


def told(calls: int, until: float = NOW + 60) -> ProvidersWord:
    """The word of a provider that has just said how many calls are left."""
    word = ProvidersWord()
    word.left(Left(calls, until), NOW, NOW)
    return word


def begun(word: ProvidersWord, *moments: float) -> list[bool]:
    """Whether a call may begin at each of these moments, in seconds from now."""
    return [not word.take(NOW + moment) for moment in moments]


def test_of_what_a_provider_says_is_left_no_more_calls_begin_until_its_window_ends() -> None:
    word = told(2)
    assert word.until == NOW + 60
    assert [word.take(NOW + n) for n in (1, 2, 3)] == [0.0, 0.0, NOW + 60]
    assert (word.refused_until(NOW + 3), word.refused_until(NOW + 60)) == (NOW + 60, 0.0)
    word.ended(NOW + 2, sent=False)
    assert begun(word, 4, 5, 60) == [True, False, True]


@pytest.mark.parametrize("first", [1, 2])
def test_lesson_25_answers_that_overtake_each_other_let_nothing_overspend_and_lose_nothing(first: int) -> None:
    word = told(4)
    assert begun(word, 1, 2) == [True, True]
    said = {1: Left(2, NOW + 60), 2: Left(3, NOW + 60)}  # the one asked for later was counted first
    word.left(said[first], NOW + first, NOW + 3)
    assert begun(word, 4) == [True]
    word.left(said[3 - first], NOW + 3 - first, NOW + 5)
    assert begun(word, 6, 7) == [True, False], "of four, two were answered and two are under way"


@pytest.mark.parametrize("moments", [(1, 2), (1, 1)], ids=["one after the other", "at once"])
def test_a_call_whose_answer_says_nothing_is_counted_all_the_same_but_once(moments: tuple[float, float]) -> None:
    word = told(3)
    assert begun(word, *moments) == [True, True]
    word.ended(NOW + moments[1], sent=True)
    assert begun(word, 3, 3) == [True, False], "one is left of which nobody said anything, and one is under way"
    word.left(Left(1, NOW + 60), NOW + moments[0], NOW + 4)
    assert begun(word, 4) == [False]
    for _ in range(2):
        word.ended(NOW + 3, sent=False)
        word.ended(NOW - 9, sent=True)  # begun before anything was said
    assert begun(word, 5, 5) == [True, False]


@pytest.mark.parametrize(
    ("end", "left", "may"),
    [(65.0, 9, 2), (55.0, 9, 2), (55.0, 1, 1), (65.1, 9, 9), (54.9, 1, 2), (54.9, 9, 2)],
    ids=["same, a little later", "same, a little earlier", "same, less", "next", "last, less", "last, more"],
)
def test_a_window_is_told_by_its_end_the_last_ones_word_is_old_and_the_next_ones_new(end: float, left: int, may: int) -> None:
    word = told(2)
    word.left(Left(left, NOW + end), NOW, NOW + 1)
    assert sum(begun(word, *[2.0] * 10)) == may
    assert word.until == NOW + (end if may == 9 else 60)


def test_a_call_of_a_window_that_is_over_bounds_no_other_window() -> None:
    word = told(1)
    assert begun(word, 1) == [True]
    word.left(Left(1, NOW + 120), NOW, NOW + 59.9)
    assert begun(word, 59.9) == [False], "it may be missing in what is said"
    word.left(Left(1, NOW + 180), NOW, NOW + 120)
    assert begun(word, 120, 120) == [True, False]


def test_a_quota_that_is_spent_stays_so_whatever_an_older_answer_says_until_it_is_forgotten() -> None:
    word = ProvidersWord()
    assert word.until == 0.0
    assert [word.spent(NOW + seconds) for seconds in (60, 50, 60)] == [True, False, False]
    assert word.until == NOW + 60
    word.left(Left(5, NOW + 90), NOW - 1, NOW)
    assert (word.take(NOW), word.take(NOW + 60), word.until) == (NOW + 60, 0.0, NOW + 90)
    assert [(word.spent(NOW + seconds), word.until) for seconds in (70, 95)] == [(True, NOW + 90), (True, NOW + 95)]
    word.forget()
    assert (word.until, word.refused_until(NOW)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("epoch", "shown"),
    [
        (NOW, "2023-11-14 22:13:20 UTC"),
        (NOW * 1000, "9999-12-31 23:59:59 UTC"),
        (float("inf"), "9999-12-31 23:59:59 UTC"),
        (-5.0, "1970-01-01 00:00:00 UTC"),
        (float("nan"), "1970-01-01 00:00:00 UTC"),
    ],
)
def test_a_moment_is_shown_whatever_it_is(epoch: float, shown: str) -> None:
    assert moment(epoch) == shown


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
