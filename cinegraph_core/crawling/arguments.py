"""From spider arguments to the editions to fetch, with the arguments every source understands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cinegraph_core.application import Application
from cinegraph_core.contracts import EditionPlan, Source
from cinegraph_core.crawling.missing import Errand, what_is_missing
from cinegraph_core.errors import UsageError

_YEARS = re.compile(r"(\d{4})(?:\s*-\s*(\d{4}))?")
_OURS = frozenset({"missing", "withdraw"})
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def plan(source: Source, arguments: Mapping[str, str]) -> list[EditionPlan]:
    """Return what a source would fetch; raises :class:`UsageError` for a wrong argument.

    ``years`` (``2019-2024``, ``2019,2021``) is spelt out: the source sees one ``year`` at a time. ``missing`` is passed only as
    ``true``, and only to a source that knows it (to which it may mean all years); ``withdraw`` is passed to none.
    """
    says_withdraw(arguments)
    passed = only_missing(arguments) and "missing" in source.arguments
    arguments = {name: value for name, value in arguments.items() if name not in _OURS} | ({"missing": "true"} if passed else {})
    if "years" not in arguments:
        return list(source.plan(arguments))
    if "year" in arguments:
        raise UsageError(f"{source.name}: give year or years, not both")
    years = _years(arguments.pop("years"))
    return [edition for year in years for edition in source.plan({**arguments, "year": str(year)})]


def only_missing(arguments: Mapping[str, str]) -> bool:
    """Return what ``missing`` says; raises :class:`UsageError` if it is neither true nor false."""
    return _truth(arguments, "missing")


def says_withdraw(arguments: Mapping[str, str]) -> bool:
    """Return whether ``withdraw=true`` was given: withdraw all that a page has stopped printing, however much.

    Raises :class:`UsageError` if it is neither true nor false.
    """
    return _truth(arguments, "withdraw")


async def editions_of(source: Source, arguments: Mapping[str, str], application: Application) -> list[Errand]:
    """Return the editions to fetch now; with ``missing=true`` those that are not whole, without pages that have answered.

    Raises :class:`UsageError` for a wrong argument, and whatever the database raises: not knowing what is stored is never
    taken for "nothing is missing".
    """
    plans = plan(source, arguments)
    if only_missing(arguments):
        return await what_is_missing(plans, application)
    return [Errand(edition) for edition in plans]


def _truth(arguments: Mapping[str, str], name: str) -> bool:
    value = arguments.get(name, "false").strip().lower()
    if value not in _TRUTH:
        raise UsageError(f"{name}={arguments[name]!r} is neither true nor false")
    return _TRUTH[value]


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
