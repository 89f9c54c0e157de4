"""A metrics sink that writes every measurement as a JSON line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cinegraph_core import Measurement


class Paper:
    """Appends to the file at ``path``; each batch is in the file when :meth:`write` returns."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def write(self, batch: Sequence[Measurement]) -> None:
        """Append a batch; raises :class:`OSError` where that cannot be done."""
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(one), default=str) + "\n" for one in batch)

    def close(self) -> None:
        """Nothing is held between batches."""
