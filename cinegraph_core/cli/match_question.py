"""What the options of ``cinegraph match`` ask for, held to the rules that a line of JSON is held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cinegraph_core.errors import UsageError
from cinegraph_core.matching.wire import query_from_json
from cinegraph_core.records import FilmQuery

_NAMES = ("title", "original_title", "imdb_id")
_FIELDS = {"director": "directors", "runtime": "runtime_minutes"}


def names_film(options: Mapping[str, Any]) -> bool:
    """Return whether the options, by name and ``None`` where not given, say which film is meant."""
    return any(options[name] is not None for name in _NAMES)


def query_of(options: Mapping[str, Any]) -> FilmQuery:
    """Return the query that the options state; raises :class:`UsageError` for one that a line of JSON may not state either."""
    given = {_FIELDS.get(name, name): list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    try:
        return query_from_json({"id": "1", **given})
    except ValueError as error:
        raise UsageError(f"{error}; see `cinegraph match --help`") from None


def refuse(what: str, **options: object) -> None:
    """Raise :class:`UsageError` for the first of these options that was given."""
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"{what} does not go together with --{name.replace('_', '-')}; see `cinegraph match --help`")
