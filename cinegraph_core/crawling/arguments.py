"""From spider arguments to the editions to fetch, with the two arguments every source understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from cinegraph_core.application import Application
from cinegraph_core.contracts import EditionPlan, Source
from cinegraph_core.errors import UsageError
from cinegraph_core.storage.editions import stored_years

_YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def plan(source: Source, arguments: Mapping[str, str]) -> list[EditionPlan]:
    """Return what a source would fetch; raises :class:`UsageError` for a wrong argument.

    ``years`` (``2019-2024``, ``2019,2021``) is spelt out for a source that only knows ``year``; ``missing`` is not looked at.
    """
    arguments = {name: value for name, value in arguments.items() if name != "missing" or name in source.arguments}
    if "years" not in arguments or "years" in source.arguments:
        return list(source.plan(arguments))
    if "year" in arguments:
        raise UsageError(f"{source.name}: give year or years, not both")
    years = _years(arguments.pop("years"))
    return [edition for year in years for edition in source.plan({**arguments, "year": str(year)})]


def only_missing(arguments: Mapping[str, str]) -> bool:
    """Return what ``missing`` says; raises :class:`UsageError` if it is neither true nor false."""
    value = arguments.get("missing", "false").strip().lower()
    if value not in _TRUTH:
        raise UsageError(f"missing={arguments['missing']!r} is neither true nor false")
    return _TRUTH[value]


async def editions_of(source: Source, arguments: Mapping[str, str], application: Application) -> list[EditionPlan]:
    """Return the editions to fetch now.

    Raises :class:`UsageError` for a wrong argument, and whatever the database raises: not knowing what is stored is never
    taken for "nothing is missing".
    """
    plans = plan(source, arguments)
    if not only_missing(arguments):
        return plans
    stored = {
        festival: await application.database.run(partial(stored_years, festival=festival))
        for festival in {edition.festival for edition in plans}
    }
    return [edition for edition in plans if edition.year not in stored[edition.festival]]


def _years(text: str) -> list[int]:
    years: list[int] = []
    for part in text.split(","):
        found = _YEARS.fullmatch(part.strip())
        if found is None:
            raise UsageError(f"years={text!r} is not understood; write years=2019-2024 or years=2019,2021")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise UsageError(f"years={text!r} runs backwards; write years={last}-{first}")
        years.extend(range(first, last + 1))
    return list(dict.fromkeys(years))
