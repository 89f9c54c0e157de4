"""Slips of the pen that would be passed over in silence: a name nearly ours, a line of ``.env`` that says nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import parse_stream

from cinegraph_core.errors import SettingsError
from cinegraph_core.settings.described import PREFIX

log = logging.getLogger(__name__)
_ALIKE = 0.75
"""How alike a name has to be: TMDB_KEY and TMDB_APIKEY are meant for TMDB_API_KEY; TMDB_READ_TOKEN is another program's."""


def refuse_slips(names: Iterable[str], where: str, aliases: Collection[str], *, is_shared: bool) -> None:
    """Raise :class:`SettingsError` for a name that is none of ours (or of ``aliases``) and nearly one of them.

    Where other programs put names too (``is_shared``), one that is nearly an alias is told of only: it may be theirs.
    """
    for name in names:
        if meant := _meant(name.upper(), aliases):
            message = f"there is no setting {name.upper()} (found in {where}); the nearest is {meant}"
            if not is_shared or meant not in aliases:
                raise SettingsError(message)
            log.warning("%s", message)


def refuse_lines(path: Path, is_ours: Iterable[str]) -> None:
    """Raise :class:`SettingsError` for a line of a ``.env`` that cannot be read, or names one of ours without a value.

    The line itself is never shown: it may hold a key.
    """
    beginnings = tuple(is_ours)
    for line, name, is_broken in _lines(path):
        if is_broken:
            raise SettingsError(f"{path}, line {line} cannot be read; write NAME=VALUE, or # before a remark")
        if name.upper().startswith(beginnings):
            raise SettingsError(f"{path}, line {line}: {name} has no value; write {name}=VALUE, or take the line out")


def _lines(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield number, name and whether it is broken, of each line that is broken or has a name alone."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as stream:
        for one in parse_stream(stream):
            blank_before = len(one.original.string) - len(one.original.string.lstrip("\r\n"))
            if one.error or (one.key is not None and one.value is None):
                yield one.original.line + blank_before, one.key or "", one.error


def _meant(name: str, aliases: Collection[str]) -> str | None:
    if name in aliases or name.startswith(PREFIX.rstrip("_")):
        return None
    head, _, rest = name.partition("_")
    if rest and get_close_matches(head, [PREFIX.rstrip("_")], cutoff=_ALIKE):
        return f"{PREFIX}{rest}"
    # Letters of the service's name in any order, so that IMDB_API_KEY and TVDB_API_KEY stay what they are.
    alike = [alias for alias in aliases if sorted(alias[:4]) == sorted(name[:4])]
    return next(iter(get_close_matches(name, alike, n=1, cutoff=_ALIKE)), None)
