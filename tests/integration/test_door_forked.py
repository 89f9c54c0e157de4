"""A process that is forked while the door is open: nothing is spent twice, and nobody hangs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from cinegraph_core.application import Application
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.services import Services
from cinegraph_core.services.opening import opened, set_opener
from cinegraph_core.settings import load_settings
from tests.support.door import NAME, Rows, open_door, run_in, shared_state
from tests.support.fault_server import FaultServer, answer

QUOTA = 100


def calls(services: Services, number: int) -> list[str]:
    told: list[str] = []

    async def ask() -> None:
        for _ in range(number):
            try:
                told.append(str((await services.http_client(NAME).get("/film")).status_code))
            except Exception as error:  # noqa: BLE001 - what the child met is what is asked for
                told.append(f"{type(error).__name__}: {error}")

    run_in(services, ask)
    return told


def in_a_child(work: Callable[[], object]) -> object:
    """Return what work returns in a forked child, which has 20 seconds for it."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def run(pipe: Connection) -> None:
        pipe.send(work())

    child = context.Process(target=run, args=(theirs,), daemon=True)
    child.start()
    try:
        assert ours.poll(20), "the child hangs"
        return ours.recv()
    finally:
        child.kill()
        child.join()


def test_a_forked_child_spends_nothing_its_parent_leased_and_is_told_the_way_out(server: FaultServer, database_url: str) -> None:
    server.plan("/film", answer())
    with shared_state(database_url, SystemClock()) as shared:
        services = open_door(
            ServiceSpec(NAME, "https://films.example"),
            clock=SystemClock(),
            rows=Rows(),
            services={NAME: {"base_url": server.url, "daily_quota": QUOTA, "rate_per_second": 0}},
            shared=shared,
        )
        assert set(calls(services, 20)) == {"200"}
        (refusal,) = set(in_a_child(lambda: calls(services, 3)))  # type: ignore[call-overload]  # a list came through the pipe
        assert refusal.startswith("ConfigurationError")
        assert "spawn" in refusal
        assert set(calls(services, 3)) == {"200"}, "the parent goes on"
    assert server.counts["/film"] == 23


def test_a_forked_child_that_asks_for_a_client_gets_an_application_of_its_own(tmp_path: Path) -> None:
    settings = load_settings(directory=tmp_path, environ={}, mode="mock", database_url=f"sqlite:///{tmp_path / 'one.db'}")
    applications: list[Application] = []

    def opener() -> Application:
        applications.append(Application.open(settings))
        return applications[-1]

    set_opener(opener)
    try:
        parents = opened()
        assert in_a_child(lambda: (opened() is parents, opened().names() == parents.names())) == (False, True)
        assert opened() is parents
        assert len(applications) == 1
    finally:
        set_opener(Application.open)
        for application in applications:
            application.close()
