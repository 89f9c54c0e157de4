"""A metrics sink that writes every measurement as a JSON line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from cinegraph_core import Measurement


class Paper:
    """Appends to the file at ``path``; each batch is in the file when :meth:`write` returns."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def write(self, batch: Sequence[Measurement]) -> None:
        """Append a batch; raises :class:`OSError` where that cannot be done."""
        with self._path.open("ab") as file:
            file.writelines(msgspec.json.encode(one) + b"\n" for one in batch)

    def close(self) -> None:
        """Nothing is held between batches."""
