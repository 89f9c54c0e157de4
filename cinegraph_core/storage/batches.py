"""Long lists of values, cut to what one ``IN`` takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

_BATCH = 500
"""Values in one query; databases bound the number of parameters."""

T = TypeVar("T")


def in_batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Return the values in their order, in parts that one query takes."""
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
