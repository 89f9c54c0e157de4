"""How long, as people write it: ``90s``, ``30m``, ``2h``, ``1d``."""

from __future__ import annotations

import re

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """Return the seconds an option means; for its ``callback``."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([smhd])", value.strip().lower())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not seconds:
        raise click.BadParameter(f"{value!r} is no duration; write it like 90s, 30m, 2h or 1d")
    return float(seconds)
