"""Leased calls: taken without asking anybody, reported once, never used beyond their time."""

from __future__ import annotations

import threading

import pytest

from cinegraph_core.resilience.allowance import Allowance, Exhausted, Granted, Lease, Limit, Refused, Report


def leased(calls: int, *, until: float = 10.0) -> tuple[Allowance, Lease]:
    allowance, lease = Allowance(), Lease("a", until, calls)
    allowance.grant(lease, 0.0)
    return allowance, lease


def said(reports: list[Report]) -> list[tuple[str, int, int]]:
    return [(one.lease.key, one.used, one.back) for one in reports]


def test_a_lease_gives_as_many_calls_as_it_holds_and_no_more() -> None:
    allowance, lease = leased(2)
    assert allowance.take(0) is lease
    assert allowance.take(0) is lease
    assert allowance.take(0) is None


def test_what_is_not_said_of_a_limit_an_answer_or_a_report_is_nothing() -> None:
    assert Limit("films", "daily_quota", 100, 1, 0.0, 86400.0).at_most is False
    assert Granted("a", 1).marks == Refused("daily_quota", 1.0).marks == ()
    assert Report(Lease("a", 10.0, 1), 1, 0).more == 0


def test_before_anything_was_leased_or_refused_it_has_to_be_asked_for() -> None:
    allowance = Allowance()
    assert (allowance.take(0.0), allowance.refused_until(0.0), allowance.ahead()) == (None, None, 1)


def test_a_lease_gives_none_from_its_end_on() -> None:
    allowance, _ = leased(2, until=10.0)
    assert allowance.take(9.999) is not None
    assert allowance.take(10.0) is None


def test_what_was_used_is_reported_once_and_what_is_idle_is_given_back() -> None:
    allowance, _ = leased(5)
    for _ in range(2):
        taken = allowance.take(0)
        assert taken is not None
        allowance.used(taken)
    assert said(allowance.report()) == [("a", 2, 0)]
    assert said(allowance.report()) == [("a", 0, 3)]
    assert said(allowance.report()) == []
    assert allowance.take(2) is None


def test_what_a_few_calls_leave_idle_is_given_back_though_they_go_on() -> None:
    allowance, _ = leased(100)
    assert said(allowance.report()) == []
    for _ in range(3):
        assert allowance.take(0) is not None
    assert said(allowance.report()) == [("a", 0, 91)], "twice as many as were taken are kept for the next ones"
    for _ in range(4):
        assert allowance.take(0) is not None
    assert said(allowance.report()) == [], "the two that are left will not last"


def test_whoever_gives_places_back_asks_for_no_more_ahead_than_it_took() -> None:
    allowance = Allowance()
    for number in range(8):
        allowance.grant(Lease("quick", 10.0, 100), number * 0.1)
        for _ in range(100 if number < 7 else 5):
            assert allowance.take(number * 0.1) is not None
    assert allowance.ahead() == 128
    allowance.report()
    for _ in range(5):
        allowance.take(1.0)
    assert said(allowance.report()) == [("quick", 0, 80)]
    assert allowance.ahead() == 5


def test_a_place_is_free_again_where_it_was_taken_whoever_gives_it_back() -> None:
    (small, lease), (other, _) = leased(1), leased(1)
    assert small.take(0) is lease
    other.unused(lease)
    assert small.take(0) is lease
    assert other.take(0) is not lease


def test_a_lease_just_granted_is_not_idle_because_nobody_has_woken_yet() -> None:
    allowance, lease = leased(2)
    assert said(allowance.report()) == []
    assert allowance.take(0) is lease
    assert said(allowance.report()) == []
    assert said(allowance.report()) == [("a", 0, 1)]


def test_a_call_whose_request_never_left_gives_its_place_back() -> None:
    allowance, _ = leased(1)
    taken = allowance.take(0)
    assert taken is not None
    allowance.unused(taken)
    assert allowance.take(0) is taken


def test_a_call_under_way_is_reported_when_it_ends_though_its_lease_is_long_over() -> None:
    allowance, _ = leased(3)
    taken = allowance.take(0)
    assert taken is not None
    assert allowance.take(20) is None
    assert said(allowance.report()) == [("a", 0, 2)]
    allowance.used(taken)
    assert said(allowance.report()) == [("a", 1, 0)]
    assert said(allowance.report()) == []


def test_calls_are_under_way_from_when_they_were_taken_until_they_are_reported() -> None:
    allowance, _ = leased(5)
    assert allowance.holdings() == (5, 0)
    taken = [allowance.take(0) for _ in range(3)]
    assert allowance.holdings() == (2, 3)
    assert taken[0] is not None
    allowance.used(taken[0])
    allowance.unused(taken[0])
    assert allowance.take(20) is None
    assert allowance.holdings() == (0, 2), "what came too late to be taken is neither"
    allowance.report()
    assert allowance.holdings() == (0, 1)


def test_a_report_that_could_not_be_delivered_is_said_again() -> None:
    allowance, _ = leased(3)
    taken = allowance.take(0)
    assert taken is not None
    allowance.used(taken)
    assert allowance.take(20) is None
    for report in allowance.report():
        allowance.undelivered(report)
    assert said(allowance.report()) == [("a", 1, 2)]


def test_a_new_lease_strands_nothing_of_the_old_one() -> None:
    allowance, _ = leased(2)
    allowance.grant(Lease("b", 10.0, 1), 1.0)
    taken = [allowance.take(1.0) for _ in range(4)]
    assert [one and one.key for one in taken] == ["a", "a", "b", None]
    for one in taken[1:3]:
        assert one is not None
        allowance.used(one)
    assert said(allowance.report()) == [("a", 1, 0), ("b", 1, 0)]


def test_a_new_lease_goes_on_where_the_old_one_is_over() -> None:
    allowance, _ = leased(2, until=10.0)
    allowance.grant(Lease("b", 20.0, 1), 9.0)
    taken = allowance.take(10.0)
    assert taken is not None
    assert taken.key == "b"
    assert said(allowance.report()) == [("a", 0, 2)]


def test_the_next_lease_is_larger_where_one_lasts_less_than_half_a_second_and_small_again_after_a_pause() -> None:
    allowance = Allowance(largest=32)
    for number in range(4):
        allowance.grant(Lease("slow", 10.0, 1), number * 0.5)
        assert allowance.take(number * 0.5) is not None
    assert allowance.ahead() == 1
    for number in range(8):
        allowance.grant(Lease("quick", 10.0, 1), 1.998 + number * 0.498)
        assert allowance.take(1.998 + number * 0.498) is not None
        assert allowance.ahead() == min(2 ** (number + 1), 32)
    allowance.report()
    assert allowance.ahead() == 32
    allowance.report()
    assert allowance.ahead() == 1


def test_a_process_never_holds_more_than_16384_calls_ahead() -> None:
    allowance = Allowance()
    for number in range(20):
        allowance.grant(Lease("quick", 10.0, 1), number * 0.1)
        allowance.take(number * 0.1)
    assert allowance.ahead() == 16384


def test_a_lease_that_follows_while_the_last_is_not_used_up_is_no_reason_for_larger_ones() -> None:
    allowance, _ = leased(2)
    allowance.grant(Lease("b", 10.0, 2), 0.1)
    assert allowance.ahead() == 1


def test_a_refusal_stands_until_it_is_worth_asking_again() -> None:
    allowance = Allowance()
    allowance.refuse("daily_quota", 3600.0, now=0.0, ask_again=1.0)
    for now in (0.0, 0.5):
        with pytest.raises(Exhausted) as caught:
            allowance.take(now)
        assert caught.value.args == (caught.value.limit, caught.value.retry_at) == ("daily_quota", 3600.0)
        assert allowance.refused_until(now) == 3600.0
    assert allowance.take(1.0) is None
    assert allowance.refused_until(3599.9) == 3600.0
    assert allowance.refused_until(3600.0) is None


def test_a_clock_set_back_ends_a_refusal_that_lies_in_its_future() -> None:
    allowance = Allowance()
    allowance.refuse("hourly_quota", 7200.0, now=3700.0, ask_again=3701.0)
    assert allowance.take(100.0) is None
    assert allowance.refused_until(100.0) is None


def test_what_calls_cost_beside_what_was_reserved_is_reported_with_them_and_survives_a_lost_report() -> None:
    allowance, _ = leased(4)
    for more in (-30, 50, -25):
        taken = allowance.take(0)
        assert taken is not None
        allowance.used(taken, more)
    (report,) = allowance.report()
    assert (report.used, report.back, report.more) == (3, 0, -5)
    allowance.undelivered(report)
    (again,) = allowance.report()
    assert (again.used, again.back, again.more) == (3, 1, -5)


def test_a_lost_report_of_one_call_keeps_what_that_call_cost() -> None:
    allowance, lease = leased(3)
    for more, others in ((7, 2), (0, 1)):
        taken = allowance.take(0)
        assert taken is not None
        allowance.used(taken, *([more] if more else []))
        (report,) = allowance.report()
        assert (report.used, report.more, lease.calls) == (1, more, others)
        allowance.undelivered(report)
        assert lease.calls == others + 1
        (again,) = allowance.report(at_once=True)
        assert (again.used, again.back, again.more, lease.calls) == (1, 0, more, others)


def test_a_lost_report_of_calls_used_and_given_back_restores_both() -> None:
    allowance, lease = leased(3)
    taken = allowance.take(0)
    assert taken is not None
    allowance.used(taken)
    (report,) = allowance.report(ending=True)
    assert (report.used, report.back, lease.calls) == (1, 2, 0)
    allowance.undelivered(report)
    assert lease.calls == 3


def test_a_report_at_once_is_no_report_by_which_a_lease_is_idle() -> None:
    allowance, _ = leased(2)
    assert said(allowance.report(at_once=True)) == []
    assert said(allowance.report()) == [], "there was no regular report since it was granted"
    assert said(allowance.report(at_once=True)) == []
    assert said(allowance.report()) == [("a", 0, 2)]


def test_a_report_at_once_gives_nothing_back_that_somebody_is_about_to_take() -> None:
    allowance, lease = leased(2)
    assert said(allowance.report(at_once=True)) == []
    assert said(allowance.report(at_once=True)) == []
    assert allowance.take(0) is lease


def test_a_changed_limit_makes_all_begin_anew() -> None:
    allowance, _ = leased(3)
    allowance.refuse("daily_quota", 3600.0, now=0.0, ask_again=1.0)
    allowance.reconsider()
    assert allowance.take(0) is None
    assert said(allowance.report()) == [("a", 0, 3)]


def test_at_the_end_everything_left_is_given_back() -> None:
    allowance, _ = leased(3)
    assert allowance.take(0) is not None
    assert said(allowance.report(ending=True)) == [("a", 0, 2)]


def test_threads_together_take_exactly_what_there_is() -> None:
    allowance, _ = leased(1000)
    taken: list[int] = []

    def take_all() -> None:
        count = 0
        while allowance.take(0) is not None:
            count += 1
        taken.append(count)

    threads = [threading.Thread(target=take_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 1000
