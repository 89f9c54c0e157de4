"""Applications that share a database, each with a clock of its own: what processes on it would be, and their breakers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cinegraph_core.application import Application
from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import CircuitOpenError, ServerError
from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.verdicts import Attempt
from cinegraph_core.settings import load_settings
from cinegraph_core.storage.state import service_states
from cinegraph_core.testing import FakeClock, fresh_plugins
from tests.support.fault_server import refusing_url
from tests.support.waiting import within

NAME = "films"
SPEC = ServiceSpec(name=NAME, base_url="https://films.example", retries=0, breaker_failures=2)


@contextmanager
def process(database_url: str, clock: FakeClock | None = None, *, begun: bool = True, **own: Any) -> Iterator[Application]:
    """An application of its own, with a clock of its own: what another process would be; ``begun``: it has asked the service."""
    given = {NAME: {"base_url": refusing_url(), **own}}
    settings = load_settings(environ={}, mode="real", database_url=database_url, services=given)
    with Application.open(settings, clock=clock or FakeClock(), plugins=fresh_plugins(SPEC)) as application:
        if begun:
            application.services.state(NAME)
        yield application


def fail(application: Application) -> None:
    """Make one call that the service answers with a 500."""
    guard = application.services.begin(Call(NAME, "request", "/"))
    attempt = guard.attempt()
    with pytest.raises(ServerError):
        guard.failed(attempt, ServerError("HTTP 500", service=NAME))


def state(application: Application) -> str:
    return application.services.breaker_state(NAME)


def trip(application: Application) -> None:
    """Let a breaker open, and this be written down."""
    fail(application)
    fail(application)
    assert within(2.0, lambda: noted(application) == "open")


def noted(application: Application) -> str | None:
    """The state that stands in the database."""
    with application.database.reading() as session:
        row = service_states(session).get(NAME)
    return None if row is None else row.breaker_state


def begun(application: Application) -> tuple[CallGuard, Attempt]:
    guard = application.services.begin(Call(NAME, "request", "/"))
    return guard, guard.attempt()


def probe(application: Application) -> tuple[CallGuard, Attempt]:
    """Begin a call as the one probe of all processes; raises :class:`CircuitOpenError` if another has it."""
    guard = application.services.begin(Call(NAME, "request", "/"))
    return guard, application.services.admit_now(guard)


def probes_well(application: Application) -> bool:
    """Make a good probe, unless another process is still at it; then let the time pass that it is to be left."""
    try:
        guard, attempt = probe(application)
    except CircuitOpenError:
        later(0.5, application)
        return False
    guard.returned(attempt)
    return True


def sick(*processes: Application, wait: float = 60.0) -> None:
    """Let the breaker of all be open, and the wait be over."""
    for _ in range(2):
        fail(processes[0])
    assert within(1.0, lambda: {state(one) for one in processes} == {"open"})
    later(wait, *processes)
    assert {state(one) for one in processes} == {"half_open"}


def later(seconds: float, *processes: Application) -> None:
    for one in processes:
        one.clock.advance(seconds)  # type: ignore[attr-defined]
