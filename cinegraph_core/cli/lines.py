"""Reads lines of any number from a file descriptor without holding the event loop, and in bounded memory."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass

MAX_LINE = 1 << 20
"""The longest line taken, in bytes; a longer one is reported as broken and not kept in memory."""
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, and its number from 1; ``too_long`` lines come without their text."""

    number: int
    text: bytes
    too_long: bool = False


async def read_lines(descriptor: int) -> AsyncGenerator[Line, None]:
    """Yield the lines of a file, pipe or terminal as they come; the last one needs no line end."""
    number, rest, overflow = 1, b"", False
    while chunk := await _read(descriptor):
        *complete, rest = (rest + chunk).split(b"\n")
        for text in complete:
            yield _line(number, text, overflow=overflow)
            number, overflow = number + 1, False
        if len(rest) > MAX_LINE:
            rest, overflow = b"", True
    if rest or overflow:
        yield _line(number, rest, overflow=overflow)


def count_lines(descriptor: int) -> int | None:
    """Return how many lines a file holds, leaving its position alone; ``None`` where that cannot be known beforehand."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return None
    offset, lines, last = os.lseek(descriptor, 0, os.SEEK_CUR), 0, b"\n"
    while chunk := os.pread(descriptor, _CHUNK, offset):
        offset += len(chunk)
        lines += chunk.count(b"\n")
        last = chunk[-1:]
    return lines + (last != b"\n")


def _line(number: int, text: bytes, *, overflow: bool) -> Line:
    too_long = overflow or len(text) > MAX_LINE
    return Line(number, b"" if too_long else text, too_long)


async def _read(descriptor: int) -> bytes:
    """Read a chunk in a daemon thread: an executor's thread, blocked on a silent pipe, would keep the process from ending."""
    loop = asyncio.get_running_loop()
    chunk: asyncio.Future[bytes] = loop.create_future()

    def settle(data: bytes, error: OSError | None) -> None:
        if chunk.done():
            return
        if error:
            chunk.set_exception(error)
        else:
            chunk.set_result(data)

    def read() -> None:
        try:
            data, error = os.read(descriptor, _CHUNK), None
        except OSError as caught:
            data, error = b"", caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, data, error)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return await chunk
