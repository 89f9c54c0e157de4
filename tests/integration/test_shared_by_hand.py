"""What a person says of a breaker reaches every side that asks the service itself, and lifts what the service asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cinegraph_core.actions import open_breaker, reset_breaker, reset_mode, reset_quota, set_mode
from cinegraph_core.application import Application
from cinegraph_core.errors import CircuitOpenError, RateLimitError
from cinegraph_core.records import Control, Mode
from cinegraph_core.resilience.retry import LONGEST_HOLD
from cinegraph_core.services.standing import read_standing
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.state import record_transition
from tests.support.fault_server import FaultServer
from tests.support.modes import ADAPTERS, NAME, REPLICA, SERVICE, House, mode_of, switchable
from tests.support.together import begun, process
from tests.support.waiting import looked, within

pytestmark = pytest.mark.usefixtures("often")


def switched(home: House, mode: Mode) -> None:
    set_mode(home.application.database, NAME, mode, clock=home.clock)
    assert within(2.0, lambda: mode_of(home) == mode)


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_service_that_is_switched_to_itself_is_taken_out_of_use_too(
    server: FaultServer, tmp_path: Path, database_url: str, asked_before: bool
) -> None:
    with switchable(tmp_path, server, database_url, "mock") as home:
        switched(home, "real")
        if asked_before:
            assert home.ask().value == SERVICE
        open_breaker(home.application.database, NAME, clock=home.clock)
        assert looked(home.application.shared)
        for adapter in ADAPTERS:
            error = home.ask(adapter).error
            assert isinstance(error, CircuitOpenError)
            assert "by hand" in str(error)
        switched(home, "hybrid")
        assert home.ask().provenance == "fallback", "its replica stays in use"
        switched(home, "real")
        reset_breaker(home.application.database, NAME, clock=home.clock)
        assert within(2.0, lambda: home.ask().value == SERVICE)


@pytest.mark.parametrize("mode", ["auto", "shadow"])
def test_a_service_that_a_person_takes_out_of_use_is_refused_whatever_its_breaker_s_mode(database_url: str, mode: str) -> None:
    with process(database_url, breaker_mode=mode) as one, process(database_url, breaker_mode=mode, begun=False) as other:
        open_breaker(one.database, NAME, clock=one.clock)
        assert looked(one.shared)
        assert looked(other.shared)
        for each in (one, other):
            with pytest.raises(CircuitOpenError, match="by hand"):
                begun(each)
        spec = one.services.spec(NAME)
        with one.database.reading() as session:
            assert read_standing(session, one.clock.now()).breaker(spec) == "open"
        reset_breaker(one.database, NAME, clock=one.clock)
        assert looked(one.shared)
        begun(one)


@pytest.mark.parametrize("asked_before", [True, False])
def test_what_the_service_asked_of_another_is_kept_by_a_switched_one_and_not_by_its_replica(
    server: FaultServer, tmp_path: Path, database_url: str, asked_before: bool
) -> None:
    with (
        switchable(tmp_path, server, database_url) as one,
        switchable(tmp_path, server, database_url, films={"mode": "mock"}) as other,
    ):
        switched(other, "real")
        if asked_before:
            assert other.ask().value == SERVICE
        one.application.services.state(NAME).hold(one.clock.monotonic() + 120.0)
        assert looked(one.application.shared)
        assert looked(other.application.shared)
        error = other.ask().error
        assert isinstance(error, RateLimitError)
        assert error.retry_after == pytest.approx(120.0, abs=0.1)
        reset_mode(other.application.database, NAME, clock=other.clock)
        assert within(2.0, lambda: mode_of(other) == "mock")
        assert other.ask().value == REPLICA


def test_a_hold_for_ever_is_kept_for_a_day_and_a_reset_lifts_it_everywhere(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        one.services.state(NAME).hold(float("inf"))
        assert within(2.0, lambda: other.services.retry_after(NAME) > 0)
        assert other.services.retry_after(NAME) == LONGEST_HOLD
        change = reset_breaker(one.database, NAME, clock=one.clock, who="anna")
        assert change.before == {"state": "closed", "held_until": "2023-11-15T22:13:20+00:00"}
        assert change.after == {"state": "closed"}
        assert within(2.0, lambda: one.services.retry_after(NAME) == other.services.retry_after(NAME) == 0)
        with process(database_url) as later:
            for each in (one, other, later):
                begun(each)
        with one.database.reading() as session:
            (row,) = recent_actions(session)
        assert (row.what, row.before) == ("breaker.reset", change.before)


def asks_for_a_pause(application: Application) -> None:
    application.services.state(NAME).hold(application.clock.monotonic() + 600.0)


def says_that_nothing_is_left(application: Application) -> None:
    application.services.state(NAME).limits.provider_spent(application.clock.now() + 600.0)


@pytest.mark.parametrize(
    ("said", "reset"), [(asks_for_a_pause, reset_breaker), (says_that_nothing_is_left, reset_quota)], ids=["breaker", "quota"]
)
def test_what_is_said_in_the_moment_of_a_reset_is_not_known_to_one_process_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch, said: Callable[[Application], None], reset: Callable[..., object]
) -> None:
    with process(database_url) as one, process(database_url) as other:
        said(one)
        assert within(2.0, lambda: other.services.retry_after(NAME) > 0)
        take_back = one.shared.take_back

        def meanwhile(service: str, name: Control) -> None:
            said(one)
            take_back(service, name)

        monkeypatch.setattr(one.shared, "take_back", meanwhile)
        reset(one.database, NAME, clock=one.clock)
        assert looked(one.shared)
        assert looked(other.shared)
        assert one.services.retry_after(NAME) == other.services.retry_after(NAME)


def test_a_service_that_asks_again_after_the_reset_is_left_alone_again(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        one.services.state(NAME).hold(one.clock.monotonic() + 600.0)
        assert within(2.0, lambda: other.services.retry_after(NAME) > 0)
        reset_breaker(one.database, NAME, clock=one.clock)
        assert within(2.0, lambda: one.services.retry_after(NAME) == other.services.retry_after(NAME) == 0)
        one.services.state(NAME).hold(one.clock.monotonic() + 30.0)
        assert within(2.0, lambda: other.services.retry_after(NAME) == pytest.approx(30.0, abs=0.01))


def test_a_replica_is_asked_although_its_service_is_known_to_be_sick(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    with switchable(tmp_path, server, database_url) as one, one.application.database.transaction() as session:
        record_transition(session, NAME, "open", changed_at=one.clock.now(), retry_at=one.clock.now() + 60.0)
    with switchable(tmp_path, server, database_url, films={"mode": "mock"}) as mocked:
        assert mocked.ask().value == REPLICA
        switched(mocked, "real")
        assert mocked.ask().value == SERVICE, "a switched one finds out by itself"
