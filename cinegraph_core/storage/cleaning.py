"""Makes values from outside fit to be stored: no database takes a NUL, half a surrogate pair, or ``NaN`` in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")
_DEPTH = 8
"""Deeper metadata is cut; it also ends a structure that contains itself."""


def clean_text(text: str) -> str:
    """Return a text that every database takes."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean_record(record: T) -> T:
    """Return a frozen record with every text in it, and in the records it holds, made fit to be stored."""
    if isinstance(record, str):
        return clean_text(record)  # type: ignore[return-value]  # a str is a T here
    if isinstance(record, tuple):
        return tuple(map(clean_record, record))  # type: ignore[return-value]  # as above
    if is_dataclass(record) and not isinstance(record, type):
        return replace(record, **{field.name: clean_record(getattr(record, field.name)) for field in fields(record)})
    return record


def clean_json(value: Any, depth: int = _DEPTH) -> Any:
    """Return a value as plain JSON; what JSON does not know becomes its text."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        return {clean_text(str(name)): clean_json(item, depth - 1) for name, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [clean_json(item, depth - 1) for item in value]
    return clean_text(str(value)) if depth else "…"
