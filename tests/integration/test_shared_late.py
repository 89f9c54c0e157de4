"""A process that first asks a service while others know it to be sick begins where they are; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cinegraph_core.application import Application
from cinegraph_core.contracts import Call
from cinegraph_core.errors import CircuitOpenError
from cinegraph_core.services.breakers import FORGOTTEN
from cinegraph_core.storage.state import record_transition
from cinegraph_core.testing import FakeClock
from tests.support.together import NAME, begun, fail, later, noted, probe, process, state, trip
from tests.support.waiting import looked, within

pytestmark = pytest.mark.usefixtures("often")


@contextmanager
def late_comer(database_url: str, seconds: float) -> Iterator[Application]:
    """A process that begins so long after another one's breaker has opened."""
    with process(database_url) as one:
        trip(one)
    clock = FakeClock()
    clock.advance(seconds)
    with process(database_url, clock) as late:
        yield late


def test_a_process_at_work_with_other_services_lets_nobody_through_to_one_that_is_sick(database_url: str) -> None:
    with process(database_url) as one, process(database_url, begun=False) as other:
        trip(one)
        assert looked(other.shared)
        with pytest.raises(CircuitOpenError) as caught:
            begun(other)
        assert caught.value.retry_after == pytest.approx(60.0, abs=0.01)


def test_so_does_one_that_starts_later_for_what_is_left_of_the_wait(database_url: str) -> None:
    with late_comer(database_url, 20.0) as late:
        assert late.services.retry_after(NAME) == pytest.approx(40.0, abs=0.01)


@pytest.mark.parametrize("last", ["open", "half_open"])
def test_where_the_wait_is_over_the_one_probe_of_all_goes_first(database_url: str, last: str) -> None:
    with process(database_url) as one, process(database_url, begun=False) as other:
        trip(one)
        later(60.0, one, other)
        if last == "half_open":
            assert state(one) == last
            assert within(2.0, lambda: noted(one) == last)
        assert looked(other.shared)
        probe(one)
        with pytest.raises(CircuitOpenError):
            probe(other)
        assert state(other) == "half_open"
        with process(database_url, clock=other.clock, begun=False) as late, pytest.raises(CircuitOpenError):  # type: ignore[arg-type]
            probe(late)


@pytest.mark.parametrize("last", ["open", "half_open", "ramp", "closed"])
def test_a_service_whose_illness_is_forgotten_or_over_is_simply_asked(database_url: str, last: str) -> None:
    clock = FakeClock()
    ago = 1.0 if last in ("ramp", "closed") else FORGOTTEN + 1.0
    with process(database_url, clock, begun=False) as one, one.database.transaction() as session:
        retry_at = clock.now() - ago if last == "open" else None
        record_transition(session, NAME, last, changed_at=clock.now() - ago, retry_at=retry_at)
    with process(database_url, clock) as late:
        assert state(late) == "closed"
        late.services.begin(Call(NAME, "request", "/")).attempt()


def test_the_wait_after_a_bad_probe_of_a_late_comer_is_the_longer_one(database_url: str) -> None:
    with late_comer(database_url, 60.0) as late:
        fail(late)
        assert 100.0 < late.services.retry_after(NAME) <= 120.0
