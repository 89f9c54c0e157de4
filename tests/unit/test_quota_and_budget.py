"""What figures of quotas and budgets mean, and what a provider's headers say."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.budget import BUDGETS, Tariff, budget_of, marks_passed, price_of
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


def begun(word: ProvidersWord, *moments: float) -> list[bool]:
    """Whether a call may begin at each of these moments, in seconds from now."""
    return [not word.take(NOW + moment) for moment in moments]


def over(word: ProvidersWord, *, left: int | None = None, end: float = 60.0, asked: float = 0.0, now: float = 0.0) -> None:
    """Let a call under way be answered; times are seconds from now, ``end`` is what it is told of the window."""
    if left is not None:
        word.left(Left(left, NOW + end), NOW + asked, NOW + now)
    word.used()
    word.under_way.pop()


def told(calls: int, *, under_way: int = 0) -> ProvidersWord:
    """The word of a provider that has just said for the first time how many calls are left, while others are under way."""
    word = ProvidersWord()
    word.under_way.extend([None] * (under_way + 1))
    over(word, left=calls)
    return word


def test_of_what_a_provider_says_is_left_no_more_calls_begin_until_its_window_ends() -> None:
    word = told(2)
    assert word.until == NOW + 60
    assert [word.take(NOW + n) for n in (1, 2, 3)] == [0.0, 0.0, NOW + 60]
    assert (word.refused_until(NOW + 3), word.refused_until(NOW + 60)) == (NOW + 60, 0.0)
    word.under_way.pop()  # it did not leave
    assert begun(word, 4, 5, 60) == [True, False, True]


@pytest.mark.parametrize("counted_before", [0, 2])
def test_what_was_under_way_before_the_first_word_may_be_missing_in_it(counted_before: int) -> None:
    word = told(4, under_way=3)
    assert begun(word, 1, 2) == [True, False]
    said = [5] * counted_before + list(range(3, counted_before, -1))
    for left in said:
        over(word, left=left, now=3.0)
    assert sum(begun(word, 4, 4, 4, 4)) == counted_before


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
def test_lesson_25_answers_that_overtake_each_other_let_nothing_overspend_and_lose_nothing(order: tuple[int, int]) -> None:
    word = told(4)
    assert begun(word, 1, 2) == [True, True]
    over(word, left=order[0], asked=1.0, now=3.0)
    assert begun(word, 4) == [True]
    over(word, left=order[1], asked=1.0, now=5.0)
    assert begun(word, 6, 7) == [True, False], "of four, two were answered and two are under way"


def test_a_call_whose_answer_says_nothing_is_counted_all_the_same() -> None:
    word = told(3)
    assert begun(word, 1, 1) == [True, True]
    over(word)
    assert begun(word, 3, 3) == [True, False], "one is left of which nobody said anything, and one is under way"
    over(word, left=1, asked=1.0, now=4.0)
    assert begun(word, 4) == [False]


@pytest.mark.parametrize(
    ("end", "left", "may"),
    [(65.0, 9, 3), (55.0, 9, 3), (55.0, 1, 1), (65.1, 9, 9), (54.9, 1, 3), (54.9, 9, 3)],
    ids=["same, a little later", "same, a little earlier", "same, less", "next", "last, less", "last, more"],
)
def test_a_window_is_told_by_its_end_the_last_ones_word_is_old_and_the_next_ones_new(end: float, left: int, may: int) -> None:
    word = told(3)
    assert begun(word, 1) == [True]
    over(word, left=left, end=end, asked=1.0, now=1.0)
    assert sum(begun(word, *[2.0] * 10)) == may
    assert word.until == NOW + (end if may == 9 else 60)


@pytest.mark.parametrize(("took", "may"), [(7.0, 1), (1.0, 9)])
def test_a_reset_in_seconds_that_was_long_under_way_is_no_later_window(took: float, may: int) -> None:
    word = told(3)
    assert begun(word, 1, 2) == [True, True]
    over(word, left=1, asked=2.0, now=3.0)
    over(word, left=9, end=60.0 + 7.0, asked=8.0 - took, now=8.0)
    assert sum(begun(word, *[9.0] * 10)) == may


def test_a_window_that_is_over_bounds_nothing_and_the_next_word_is_the_next_ones() -> None:
    word = told(1)
    assert begun(word, 1, 1) == [True, False]
    assert begun(word, 60) == [True]
    over(word, left=5, end=63.0, asked=60.0, now=60.0)
    assert sum(begun(word, *[61.0] * 10)) == 4, "the first is under way"


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
    ("used", "told", "marks"),
    [
        (79, 0, []),
        (80, 0, [80]),
        (80, 80, []),
        (99, 80, []),
        (100, 80, [100]),
        (100, 100, []),
        (100, 0, [80, 100]),
        (130, 0, [80, 100]),
    ],
)
def test_each_mark_of_a_limit_is_told_once_and_none_is_skipped(used: int, told: int, marks: list[int]) -> None:
    assert marks_passed(used, 100, told) == marks


def test_a_mark_is_not_told_before_it_is_reached() -> None:
    assert marks_passed(799, 1000, 0) == []


def test_a_budget_without_room_for_another_call_is_used_up() -> None:
    assert marks_passed(90, 100, 80, least=30) == [100]
    assert marks_passed(70, 100, 0, least=30) == []
    assert marks_passed(71, 100, 0, least=30) == [80, 100]
