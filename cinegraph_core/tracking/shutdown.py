"""How a process ends without losing what was recorded.

Python runs exit functions at a normal end, after an unhandled exception and after Ctrl-C, but a SIGTERM kills it on the
spot. While a tracker is open, and nobody else handles SIGTERM, it therefore ends the program like ``sys.exit``: open
transactions are undone, ``finally`` blocks run, and the exit functions drain the trackers. (Draining inside the handler
could wait for a lock that the interrupted code holds.) A worker of multiprocessing that was forked runs no exit functions, only
multiprocessing's own finalizers, so there one of those does it.
"""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

_guarded: dict[Callable[[], None], Callable[[], object]] = {}
"""What is drained, and what undoes that."""
_draining = threading.Event()
_LAST = -100
"""The priority of our finalizers: whatever the worker's own code does at its end is recorded too."""


def guard(drain: Callable[[], None]) -> None:
    """Have ``drain`` called at every graceful end of the process."""
    _guarded[drain] = _at_end(partial(_drain_last, drain))
    if _in_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _leave)


def release(drain: Callable[[], None]) -> None:
    """Undo :func:`guard`; the last one gives SIGTERM back."""
    if (undo := _guarded.pop(drain, None)) is not None:
        undo()
    if not _guarded and _in_main_thread() and signal.getsignal(signal.SIGTERM) is _leave:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _at_end(drain_last: Callable[[], None]) -> Callable[[], object]:
    """Have this called at the end of the process; returns what undoes that."""
    if not _is_worker():
        atexit.register(drain_last)
        return partial(atexit.unregister, drain_last)
    from multiprocessing.util import Finalize  # noqa: PLC0415 - loaded in workers anyway, and needed nowhere else

    return Finalize(None, drain_last, exitpriority=_LAST).cancel


def _is_worker() -> bool:
    """Tell whether multiprocessing started this process."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def _drain_last(drain: Callable[[], None]) -> None:
    _draining.set()
    try:
        drain()
    finally:
        _draining.clear()


def _leave(signum: int, _frame: FrameType | None) -> None:
    if not _draining.is_set():
        raise SystemExit(128 + signum)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
