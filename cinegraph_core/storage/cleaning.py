"""Makes values from outside fit to be stored: no database takes a NUL, half a surrogate pair, or ``NaN`` in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_DEPTH = 8
"""Deeper metadata is cut; it also ends a structure that contains itself."""


def clean_text(text: str) -> str:
    """Return a text that every database takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean_json(value: Any, depth: int = _DEPTH) -> Any:
    """Return a value as plain JSON; what JSON does not know becomes its text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        return {clean_text(str(name)): clean_json(item, depth - 1) for name, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [clean_json(item, depth - 1) for item in value]
    return clean_text(str(value)) if depth or isinstance(value, str) else "…"
