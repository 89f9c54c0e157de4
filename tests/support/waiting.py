"""Waiting for what another thread or process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlmodel import Session, text

from cinegraph_core.services.shared import Controls, SharedState

CEILING = 10


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Return whether a condition comes true in about this real time; it is looked at every 10 ms.

    A busy machine is given ten times as long: the time is the promise, the ceiling only ends a test that hangs.
    """
    until = time.monotonic() + CEILING * seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def waits_for_us(session: Session) -> bool:
    """Tell whether another connection waits for a lock of this one; SQLite lets nobody begin beside a writer, so it must."""
    if session.connection().dialect.name == "sqlite":
        return True
    return bool(session.connection().execute(text("select count(*) from pg_locks where not granted")).scalar())


class _Pulses:
    """A part of the door that shares nothing and counts."""

    def __init__(self) -> None:
        self.counted = 0

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        self.counted += 1

    def obey(self, words: Controls) -> None:
        pass


def looked(shared: SharedState) -> bool:
    """Return whether a process has looked at the database twice, so once from beginning to end, within three seconds."""
    pulses = _Pulses()
    shared.join(pulses)
    return within(3.0, lambda: pulses.counted > 1)


@contextmanager
def busy(shared: SharedState, *, has_begun: bool = False) -> Iterator[None]:
    """Keep the thread that speaks with the database at work meanwhile, if it ``has_begun``, from the first moment on."""
    begun, done = threading.Event(), threading.Event()

    def hold_up() -> None:
        begun.set()
        done.wait(10.0)

    assert shared.submit(hold_up)
    assert not has_begun or begun.wait(10.0)
    yield
    done.set()
