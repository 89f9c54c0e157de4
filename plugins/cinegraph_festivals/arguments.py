"""Spider arguments: which are known, and which years they ask for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cinegraph_core import UsageError

_YEARS = re.compile(r"(\d{4})\s*-\s*(\d{4})")
_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no", ""})


def check_arguments(spider: str, arguments: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Raise :class:`UsageError` for an argument that is not in ``known``, naming the nearest and all right ones."""
    for name in arguments:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {nearest[0]!r}? " if nearest else ""
            raise UsageError(f"{spider}: unknown argument {name!r}; {hint}known arguments are {', '.join(known)}")


def requested_years(spider: str, arguments: Mapping[str, str], *, first: int, default: Sequence[int] = ()) -> tuple[int, ...]:
    """Return the years that ``year`` or ``years`` ask for, oldest first; ``default`` where neither is given.

    Raises :class:`UsageError` where both or none are given, a year is not a year, or one lies outside ``first`` to next year.
    """
    year, years = arguments.get("year", "").strip(), arguments.get("years", "").strip()
    if year and years:
        raise UsageError(f"{spider}: give year=2024 or years=2019-2024, not both")
    if not year and not years:
        if default:
            return tuple(default)
        raise UsageError(f"{spider}: say which edition with year=2024 or years=2019-2024")
    last = this_year() + 1
    wanted = _span(spider, years) if years else (_single(spider, year),)
    for value in wanted:
        if not first <= value <= last:
            raise UsageError(f"{spider}: there is no edition {value}; years from {first} to {last} can be asked for")
    return wanted


def flag(spider: str, arguments: Mapping[str, str], name: str) -> bool:
    """Return whether a yes/no argument is set; raises :class:`UsageError` for anything but true and false."""
    value = arguments.get(name, "").strip().lower()
    if value not in _YES | _NO:
        raise UsageError(f"{spider}: {name}={value} is neither true nor false; write {name}=true or leave it out")
    return value in _YES


def choice(spider: str, arguments: Mapping[str, str], name: str, allowed: Sequence[str]) -> str:
    """Return one of ``allowed``, the last where the argument is absent; raises :class:`UsageError` for anything else."""
    value = arguments.get(name, "").strip().lower() or allowed[-1]
    if value not in allowed:
        raise UsageError(f"{spider}: {name}={value} is unknown; {name} is one of {', '.join(allowed)}")
    return value


def this_year() -> int:
    """Return the current calendar year (UTC)."""
    return datetime.now(tz=UTC).year


def _single(spider: str, text: str) -> int:
    if not re.fullmatch(r"\d{4}", text):
        raise UsageError(f"{spider}: year={text} is not a year; write year=2024, or years=2019-2024 for several")
    return int(text)


def _span(spider: str, text: str) -> tuple[int, ...]:
    match = _YEARS.fullmatch(text)
    first, last = (int(match[1]), int(match[2])) if match else (_single(spider, text),) * 2
    if first > last:
        raise UsageError(f"{spider}: years={text} runs backwards; write years={last}-{first}")
    return tuple(range(first, last + 1))
