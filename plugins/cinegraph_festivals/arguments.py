"""Spider arguments: which are known, and which year they ask for.

``years`` never gets here: Cinegraph spells it out, one ``year`` at a time; ``missing`` comes as ``true`` or not at all.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cinegraph_core import UsageError


def check_arguments(spider: str, arguments: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Raise :class:`UsageError` for an argument that is not in ``known``, naming the nearest and all right ones."""
    for name in arguments:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {nearest[0]!r}? " if nearest else ""
            raise UsageError(f"{spider}: unknown argument {name!r}; {hint}known arguments are {', '.join(known)}")


def requested_years(spider: str, arguments: Mapping[str, str], *, first: int, default: Sequence[int] = ()) -> tuple[int, ...]:
    """Return the year that ``year`` asks for, or ``default`` where it is not given.

    Raises :class:`UsageError` where there is neither, the year is not a year, or it lies outside ``first`` to next year.
    """
    year = arguments.get("year", "").strip()
    if not year and not default:
        raise UsageError(
            f"{spider}: say which edition with year=2024 or years=2022-2024, or missing=true for all that is not stored"
        )
    if not year:
        return tuple(default)
    if not re.fullmatch(r"\d{4}", year):
        raise UsageError(f"{spider}: year={year} is not a year; write year=2024, or years=2022-2024 for several")
    last = this_year() + 1
    if not first <= int(year) <= last:
        raise UsageError(f"{spider}: there is no edition {year}; years from {first} to {last} can be asked for")
    return (int(year),)


def choice(spider: str, arguments: Mapping[str, str], name: str, allowed: Sequence[str]) -> str:
    """Return one of ``allowed``, the last where the argument is absent; raises :class:`UsageError` for anything else."""
    value = arguments.get(name, "").strip().lower() or allowed[-1]
    if value not in allowed:
        raise UsageError(f"{spider}: {name}={value} is unknown; {name} is one of {', '.join(allowed)}")
    return value


def this_year() -> int:
    """Return the current calendar year (UTC)."""
    return datetime.now(tz=UTC).year
