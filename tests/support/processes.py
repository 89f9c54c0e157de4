"""Callers in two processes on one database, as one more manner of the breakers' table: whatever one finds out, both know."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from cinegraph_core.errors import CircuitOpenError, RateLimitError, ServerError, ServiceError
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, reset_at_once
from tests.support.manners import CALLERS, Manner
from tests.support.waiting import within

FELT = 1.0
"""Seconds within which one process feels what the other does."""
_PATIENCE = 30.0


class Child:
    """One process, told what to do by number; see :mod:`tests.support.door_process`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.door_process"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: dict[int, Future[Any]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def order(self, what: str, **given: Any) -> Future[Any]:
        number = len(self._answers)
        said = self._answers[number] = Future[Any]()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([number, what, given]) + "\n")
        self._process.stdin.flush()
        return said

    def told(self, what: str, **given: Any) -> Any:
        return self.order(what, **given).result(_PATIENCE)

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(_PATIENCE) == 0
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            number, said = json.loads(line)
            self._answers[number].set_result(said)


class Pair:
    """Two processes that live as long as a module of tests."""

    def __enter__(self) -> Self:
        self.children = [Child(), Child()]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in self.children:
            child.end()


class Processes(Manner):
    """A hundred callers are fifty in each process; single calls are made by one and, after each turn of events, by the other."""

    second_wait = (108.0, 120.0)

    def __init__(self, pair: Pair, database_url: str) -> None:
        self._children = pair.children
        self._database_url = database_url
        self._active = 0
        self._before = 0
        self.refused = 0

    def __enter__(self) -> Self:
        self._server = FaultServer().__enter__()
        self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in self._children:
            child.told("close")
        self._server.__exit__(kind, error, trace)

    # ------------------------------------------------------------------------------------------------ what is seen

    @property
    def reached(self) -> int:
        return self._server.counts["/film"] - self._before

    @property
    def state(self) -> str:
        """The state in both processes, who have a second to agree."""
        self._agree("state")
        return str(self._looks()[0]["state"])

    @property
    def retry_after(self) -> float:
        self._agree("retry_after")
        return float(self._looks()[0]["retry_after"])

    @property
    def ended_as(self) -> set[str | None]:
        return {kind for child in self._children for kind in child.told("rows")}

    @property
    def slept(self) -> list[float]:
        return [seconds for look in self._looks() for seconds in look["slept"]]

    # ------------------------------------------------------------------------------------------------ what is done

    def advance(self, seconds: float) -> None:
        for child in self._children:
            child.told("advance", seconds=seconds)

    def hurry(self) -> None:
        self._open(deadline=0.4)

    def trip(self) -> None:
        self.calls("FFFFF")
        assert self.state == "open"
        self._before, self.refused = self._server.counts["/film"], 0
        self._active = 1 - self._active

    def call(self, outcome: BaseException | None = None, *, meanwhile: Callable[[], None] | None = None) -> None:
        child = self._children[self._active]
        held = meanwhile is not None or isinstance(outcome, asyncio.CancelledError)
        gate = self._plan(outcome, held=held)
        known = self._server.counts["/film"]
        said = child.order("call")
        if held and self._arrives(known, said):
            self._active = 1 - self._active
            if meanwhile is None:
                child.told("cancel")
            else:
                meanwhile()
                self._active = self._children.index(child)
        gate.set()
        self._raise(said.result(_PATIENCE))

    def crowd(self, outcome: BaseException | None) -> None:
        before = self.reached
        gate = self._plan(outcome, held=True)
        crowds = [child.order("crowd", callers=CALLERS // 2) for child in self._children]
        # Who reached the service stays there until all have asked.
        assert within(_PATIENCE, lambda: sum(look["ended"] for look in self._looks()) + self.reached - before >= CALLERS)
        gate.set()
        for crowd in crowds:
            self.refused += crowd.result(_PATIENCE).get("circuit_open", 0)

    # ------------------------------------------------------------------------------------------------ inside

    def _open(self, **settings: Any) -> None:
        for child in self._children:
            child.told("open", database_url=self._database_url, base_url=self._server.url, **settings)

    def _plan(self, outcome: BaseException | None, *, held: bool) -> threading.Event:
        """Let the service do what a test wants, after the gate is open."""
        gate = threading.Event()

        def behave(exchange: Exchange) -> None:
            gate.wait(_PATIENCE)
            with suppress(OSError):
                _behaviour(outcome)(exchange)

        self._server.plan("/film", behave)
        if not held:
            gate.set()
        return gate

    def _arrives(self, known: int, said: Future[Any]) -> bool:
        """Return whether a call reaches the service; one that was refused has ended."""
        assert within(_PATIENCE, lambda: self._server.counts["/film"] > known or said.done())
        return self._server.counts["/film"] > known

    def _raise(self, error_type: str | None) -> None:
        if error_type is None:
            return
        if error_type == "cancelled":
            raise asyncio.CancelledError
        if error_type == "circuit_open":
            self.refused += 1
            raise CircuitOpenError
        if error_type == "rate_limit":
            self._active = 1 - self._active
            self._agree("retry_after")
            raise RateLimitError
        raise ServerError if error_type == "network_error" else ServiceError(error_type)

    def _looks(self) -> list[dict[str, Any]]:
        return [child.told("look") for child in self._children]

    def _agree(self, what: str) -> None:
        agreed = within(FELT, lambda: _same(*(look[what] for look in self._looks())))
        assert agreed, f"{what} is not the same {FELT} s after what happened: {self._looks()}"


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (isinstance(one, float) and abs(one - other) < 0.01)


def _behaviour(outcome: BaseException | None) -> Behaviour:
    if isinstance(outcome, RateLimitError):
        return answer(429, b"{}", {"Retry-After": f"{outcome.retry_after:.0f}"})
    return answer() if outcome is None else reset_at_once
