"""Calendar windows: the provider's own hours and days, also in the nights in which the clocks change."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinegraph_core.resilience.calendar import Period, window, zone_of

ROME, HAVANA, HOWE = ZoneInfo("Europe/Rome"), ZoneInfo("America/Havana"), ZoneInfo("Australia/Lord_Howe")


def at(text: str, zone: ZoneInfo = ROME, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def test_lesson_25_a_day_begins_at_the_provider_s_midnight_and_is_no_rolling_24_hours() -> None:
    today = window("day", at("2024-07-10T23:59:59"), ROME)
    assert (today.start, today.end) == (at("2024-07-10T00:00"), at("2024-07-11T00:00"))
    assert window("day", today.end, ROME).start == today.end
    assert window("day", at("2024-07-10T23:59:59"), ZoneInfo("UTC")).end == at("2024-07-11T00:00", ZoneInfo("UTC"))


@pytest.mark.parametrize("zone", [ROME, HOWE])
def test_an_hour_begins_where_the_clock_on_the_wall_says_so(zone: ZoneInfo) -> None:
    for moment in ("2024-07-10T23:00", "2024-07-10T23:20:40.25", "2024-07-10T23:59:59.999999"):
        one = window("hour", at(moment, zone), zone)
        assert (one.start, one.end) == (at("2024-07-10T23:00", zone), at("2024-07-11T00:00", zone))


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-07-10", 24)])
def test_a_day_on_which_the_clocks_change_has_23_or_25_hours(day: str, hours: int) -> None:
    one = window("day", at(f"{day}T12:00"), ROME)
    assert one.end - one.start == hours * 3600


def test_the_hour_that_comes_twice_is_two_windows() -> None:
    first = window("hour", at("2024-10-27T02:30"), ROME)
    second = window("hour", at("2024-10-27T02:30", fold=1), ROME)
    assert first.end == second.start == first.start + 3600


def test_a_midnight_that_the_clocks_skip_is_the_moment_they_jump() -> None:
    jump = at("2024-03-10T01:00", HAVANA)
    assert window("day", jump - 1, HAVANA).end == window("day", jump, HAVANA).start == jump


@given(st.floats(0, 4e9), st.sampled_from([ROME, HAVANA, HOWE]), st.sampled_from(["hour", "day"]))
def test_every_moment_lies_in_its_window_and_the_next_one_begins_where_it_ends(
    now: float, zone: ZoneInfo, period: Period
) -> None:
    one = window(period, now, zone)
    assert one.start <= now < one.end
    assert window(period, one.end, zone).start != one.start


def test_an_unknown_time_zone_is_named() -> None:
    with pytest.raises(ValueError, match="'Europe/Rom' is no time zone"):
        zone_of("Europe/Rom")
