"""The public JSON of queries and answers, one object a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from cinegraph_core.records import Explanation, FilmKind, FilmQuery, Match, ScoredCandidate

_KINDS = frozenset(get_args(FilmKind))
_YEARS = range(1870, 2200)
_IMDB_ID = re.compile(r"tt[0-9]{7,}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def query_from_json(obj: Any) -> FilmQuery:
    """Return the query a JSON object states; raises :class:`ValueError` that names the field and what is wanted there.

    An id may be a string or an integer. Fields that are ``null`` count as absent, fields nobody knows are passed over.
    """
    if not isinstance(obj, Mapping):
        raise ValueError(f"a query is a JSON object, not {type(obj).__name__}")  # noqa: TRY004 - one error type for callers
    query_id = _id(obj)
    title, original, imdb_id = _text(obj, "title"), _text(obj, "original_title"), _imdb_id(obj)
    if not (title or original or imdb_id):
        raise ValueError("a query needs a 'title', an 'original_title' or an 'imdb_id'")
    return FilmQuery(
        id=query_id,
        title=title or original or "",
        original_title=original,
        year=_whole(obj, "year", _YEARS),
        directors=_names(obj),
        imdb_id=imdb_id,
        runtime_minutes=_whole(obj, "runtime_minutes", range(1, 100_000)),
        kind=_kind(obj),
        festival=_text(obj, "festival"),
        edition=_whole(obj, "edition", _YEARS),
    )


def id_from_json(obj: Any) -> str | int | None:
    """Return the id a JSON object gives, text or number as it came; ``None`` if it gives none that can be used."""
    value = obj.get("id") if isinstance(obj, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return None if isinstance(value, str) and _SURROGATE.search(value) else value


def match_to_json(match: Match) -> dict[str, Any]:
    """Return an answer in its public JSON form, the candidates best first, with its explanation if it has one."""
    row = {
        "id": match.id,
        "status": match.status,
        "tmdb_id": match.tmdb_id,
        "imdb_id": match.imdb_id,
        "confidence": match.confidence,
        "score": _rounded(match.score),
        "level": match.level,
        "strategy": match.strategy,
        "reason": match.reason,
        "api_calls": match.api_calls,
        "error_type": match.error_type,
        "error_message": match.error_message,
        "provenance": match.provenance,
        "candidates": [_candidate(one) for one in match.candidates],
    }
    return row if match.explanation is None else row | {"explain": _explanation(match.explanation)}


def _explanation(explanation: Explanation) -> dict[str, Any]:
    return {
        "levels": [
            {
                "level": tried.level,
                "strategy": tried.strategy,
                "asked": list(tried.asked),
                "found": list(tried.found),
                "verified": list(tried.verified),
                "api_calls": tried.api_calls,
                "accepted": tried.accepted,
            }
            for tried in explanation.levels
        ],
        "candidates": [
            {
                "tmdb_id": weighed.candidate.tmdb_id,
                "title": weighed.candidate.title,
                "original_title": weighed.candidate.original_title,
                "year": weighed.candidate.year,
                "directors": list(weighed.candidate.directors),
                "verified": weighed.candidate.detailed,
                "score": _rounded(weighed.score),
                "parts": {name: round(weight, 2) for name, weight in weighed.parts.items()},
                "why": list(weighed.why),
                "contradictions": list(weighed.contradictions),
            }
            for weighed in explanation.candidates
        ],
    }


def _candidate(scored: ScoredCandidate) -> dict[str, Any]:
    candidate = scored.candidate
    return {
        "tmdb_id": candidate.tmdb_id,
        "title": candidate.title,
        "original_title": candidate.original_title,
        "year": candidate.year,
        "score": _rounded(scored.score),
        "why": list(scored.why),
    }


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def _id(obj: Mapping[str, Any]) -> str:
    value = id_from_json(obj)
    if value is None:
        raise ValueError(f"'id' must be a text or number that tells the queries apart, not {obj.get('id')!r}")
    return str(value)


def _text(obj: Mapping[str, Any], name: str) -> str | None:
    value = obj.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name!r} must be a string, not {value!r}")  # noqa: TRY004
    return _whole_characters(value, name).strip() or None


def _whole_characters(value: str, name: str) -> str:
    if _SURROGATE.search(value):
        raise ValueError(f"{name!r} holds half a surrogate pair, which no encoding of text can carry: {value!r}")
    return value


def _imdb_id(obj: Mapping[str, Any]) -> str | None:
    value = _text(obj, "imdb_id")
    if value is not None and not _IMDB_ID.fullmatch(value):
        raise ValueError(f"'imdb_id' must be an IMDb id of a film, such as tt14230458, not {value!r}")
    return value


def _whole(obj: Mapping[str, Any], name: str, allowed: range) -> int | None:
    value = obj.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise ValueError(f"{name!r} must be a whole number from {allowed.start} to {allowed.stop - 1}, not {value!r}")
    return value


def _names(obj: Mapping[str, Any]) -> tuple[str, ...]:
    value = obj.get("directors")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"'directors' must be a list of names, not {value!r}")
    return tuple(_whole_characters(name, "directors").strip() for name in value if name.strip())


def _kind(obj: Mapping[str, Any]) -> FilmKind:
    value = obj.get("kind")
    if value is None:
        return "unknown"
    if value not in _KINDS:
        raise ValueError(f"'kind' must be one of {', '.join(sorted(_KINDS))}, not {value!r}")
    kind: FilmKind = value
    return kind
