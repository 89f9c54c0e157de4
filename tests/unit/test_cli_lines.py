"""Reading lines from a descriptor: any number, any length, whole or torn."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from cinegraph_core.cli.lines import MAX_LINE, Line, count_lines, read_lines


def _read(data: bytes, tmp_path: Path) -> list[Line]:
    path = tmp_path / "lines"
    path.write_bytes(data)

    async def run() -> list[Line]:
        with path.open("rb") as file:
            return [line async for line in read_lines(file.fileno())]

    return asyncio.run(run())


def test_lines_are_numbered_from_one_and_the_last_needs_no_end(tmp_path: Path) -> None:
    assert _read("a\n\nö".encode(), tmp_path) == [Line(1, b"a"), Line(2, b""), Line(3, "ö".encode())]


def test_nothing_is_no_line(tmp_path: Path) -> None:
    assert _read(b"", tmp_path) == []


def test_a_line_longer_than_a_chunk_stays_whole(tmp_path: Path) -> None:
    long = b"x" * 200_000
    assert _read(long + b"\nend\n", tmp_path) == [Line(1, long), Line(2, b"end")]


@pytest.mark.parametrize("end", [b"\nnext\n", b""])
def test_a_monstrous_line_is_reported_and_not_kept(tmp_path: Path, end: bytes) -> None:
    lines = _read(b"x" * (3 * MAX_LINE) + end, tmp_path)
    assert lines[0] == Line(1, b"", too_long=True)
    assert lines[1:] == ([Line(2, b"next")] if end else [])


def test_lines_of_a_pipe_come_as_they_are_written() -> None:
    async def run() -> list[bytes]:
        source, sink = os.pipe()
        lines = read_lines(source)
        seen = []
        for text in (b"first\n", b"second\n"):
            os.write(sink, text)
            seen.append((await anext(lines)).text)
        os.close(sink)
        assert [line async for line in lines] == []
        os.close(source)
        return seen

    assert asyncio.run(run()) == [b"first", b"second"]


def test_waiting_for_a_silent_pipe_does_not_keep_the_loop_from_ending() -> None:
    source, sink = os.pipe()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(read_lines(source)), 0.05)

    asyncio.run(run())
    os.close(sink)
    os.close(source)


@pytest.mark.parametrize(("data", "count"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb\nc", 3)])
def test_lines_of_a_file_are_counted_without_moving_it(tmp_path: Path, data: bytes, count: int) -> None:
    path = tmp_path / "lines"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert count_lines(file.fileno()) == count
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


def test_lines_of_a_pipe_cannot_be_counted() -> None:
    source, sink = os.pipe()
    assert count_lines(source) is None
    os.close(source)
    os.close(sink)
