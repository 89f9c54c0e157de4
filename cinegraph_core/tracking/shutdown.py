"""How a process ends without losing what was recorded.

Python runs exit functions at a normal end, after an unhandled exception and after Ctrl-C, but a SIGTERM kills it on the
spot. While a tracker is open, and nobody else handles SIGTERM, it therefore ends the program like ``sys.exit``: open
transactions are undone, ``finally`` blocks run, and the exit functions drain the trackers. (Draining inside the handler
could wait for a lock that the interrupted code holds.)
"""

from __future__ import annotations

import atexit
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

_guarded: dict[Callable[[], None], Callable[[], None]] = {}
"""What is drained, and the exit function that does it: Python forgets an exit function only by itself."""
_draining = threading.Event()


def guard(drain: Callable[[], None]) -> None:
    """Have ``drain`` called at every graceful end of the process."""
    _guarded[drain] = atexit.register(partial(_drain_last, drain))
    if _in_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _leave)


def release(drain: Callable[[], None]) -> None:
    """Undo :func:`guard`; the last one gives SIGTERM back."""
    if (at_exit := _guarded.pop(drain, None)) is not None:
        atexit.unregister(at_exit)
    if not _guarded and _in_main_thread() and signal.getsignal(signal.SIGTERM) is _leave:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


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
