"""Running a command's coroutine so that a signal ends it as it ends one itself: calls are given up, and leave their rows."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from cinegraph_core.endings import TERMINATED

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end and return its result; SIGTERM cancels it, as asyncio lets Ctrl-C do, and exits with 143.

    A handler that raised would raise within whichever task runs at that moment, and the call there would be lost.
    """
    terminated = False

    async def watched() -> T:
        nonlocal terminated
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            if task is not None:
                task.cancel()

        loop.add_signal_handler(signal.SIGTERM, terminate)
        return await work

    if threading.current_thread() is not threading.main_thread():  # only that one hears signals
        return asyncio.run(work)
    before = signal.getsignal(signal.SIGTERM)
    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        if terminated:
            raise SystemExit(TERMINATED) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
