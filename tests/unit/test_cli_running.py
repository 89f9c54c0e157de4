"""Commands that run a loop: a signal cancels what is under way, and nothing is left changed."""

from __future__ import annotations

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from cinegraph_core.cli.running import run
from cinegraph_core.endings import TERMINATED


async def _answer() -> int:
    return 42


def test_sigterm_gives_up_what_is_under_way_and_exits_as_terminated() -> None:
    ends: list[str] = []

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("given up")
            raise

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        run(work())
    assert (caught.value.code, ends) == (TERMINATED, ["given up"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_gives_itself_up_is_not_terminated() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(work())


def test_a_result_comes_back_in_any_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert (run(_answer()), pool.submit(lambda: run(_answer())).result()) == (42, 42)
