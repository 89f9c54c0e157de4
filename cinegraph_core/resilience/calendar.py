"""Calendar windows: the hour or the day, in the time zone of whoever counts; never a rolling 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["hour", "day"]
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to just before ``end`` (seconds since the epoch); ``start`` tells one window from the next."""

    start: float
    end: float


def window(period: Period, now: float, zone: tzinfo) -> Window:
    """Return the calendar hour or day that holds ``now`` (seconds since the epoch) in a time zone.

    Where the clocks change, a day has 23 or 25 hours, and the hour that comes twice is two windows.
    """
    local = datetime.fromtimestamp(now, zone)
    if period == "hour":
        # Counted by this moment's own offset, so that the second 02:00 of an autumn night is another hour than the first.
        start = float(round(now - local.minute * 60 - local.second - local.microsecond / 1e6))
        return Window(start, start + _HOUR)
    return Window(_midnight(local.date(), zone), _midnight(local.date() + timedelta(days=1), zone))


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name; raises :class:`ValueError` for one nobody knows."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; a name like Europe/Rome or UTC is wanted") from error


def _midnight(day: date, zone: tzinfo) -> float:
    """Return when a day begins; where the clocks skip midnight, that is the moment they jump."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
