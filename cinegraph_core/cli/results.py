"""Where result lines go: standard output, or a file that an interrupted run left and this one goes on with."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from cinegraph_core.errors import UsageError


class Results:
    """Writes one JSON line per result, each whole and at once; with a file, knows what stands in it already."""

    def __init__(self, path: Path | None = None) -> None:
        self._done_ids: set[str | int] = set()
        self._done_lines: set[int] = set()
        if path is None:
            self._stream: IO[bytes] = sys.stdout.buffer
            return
        self._stream = _opened(path)
        try:
            self._take_up(path)
        except BaseException:
            self._stream.close()
            raise

    def has(self, query_id: str | int) -> bool:
        """Return whether the file already holds a result with this id; the number 1 and the text ``"1"`` are two."""
        return query_id in self._done_ids

    def has_line(self, number: int) -> bool:
        """Return whether the file already reports this input line as broken."""
        return number in self._done_lines

    def write(self, result: Mapping[str, Any]) -> None:
        """Write a result; raises :class:`BrokenPipeError` when nobody reads any more."""
        self._stream.write(json.dumps(result, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")
        self._stream.flush()

    def close(self) -> None:
        """Make sure that a file is on the disk; standard output stays open."""
        if self._stream is not sys.stdout.buffer:
            os.fsync(self._stream.fileno())
            self._stream.close()

    def _take_up(self, path: Path) -> None:
        """Remember what is done and cut a last line that was torn; raises :class:`UsageError` for a file of another kind."""
        end = 0
        self._stream.seek(0)
        for number, line in enumerate(self._stream, start=1):
            if not line.endswith(b"\n"):
                break
            self._remember(line, f"{path}, line {number}")
            end += len(line)
        else:
            return
        if end == 0 and not line.startswith(b"{"):
            raise UsageError(f"{path} is no file of results; name a file that an earlier --resume wrote, or a new one")
        self._stream.truncate(end)

    def _remember(self, line: bytes, where: str) -> None:
        try:
            result = json.loads(line)
            done = result["id"]
            if done is None:
                self._done_lines.add(result.get("line"))
            else:
                self._done_ids.add(done)
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{where}: this is no result; --resume takes a file that an earlier --resume wrote, or a new one"
            ) from error


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("a+b")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); name a file in a folder that exists") from error
