"""How services stand, read from the record of all processes, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cinegraph_core import Measurement
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.resilience.health import Health
from cinegraph_core.resilience.traffic import SLOT, Tally
from cinegraph_core.services.breakers import FORGOTTEN
from cinegraph_core.services.standing import Standing, described, read_standing
from cinegraph_core.storage import Database
from cinegraph_core.storage.health import keep_health, last_health
from cinegraph_core.storage.metrics import insert_measurements
from cinegraph_core.storage.state import record_transition
from cinegraph_core.storage.traffic import recent_traffic

NOW = 1_700_000_000.25
SPEC = ServiceSpec(name="films", base_url="https://films.example")


def call(seconds_ago: float = 1.0, **fields: Any) -> Measurement:
    defaults: dict[str, Any] = {"source": "films", "operation": "search_movie", "target_identifier": "x", "success": True}
    ended = datetime.fromtimestamp(NOW - seconds_ago, UTC)
    return Measurement(**(defaults | {"attempts": 1, "response_time_ms": 100.0, "inserted_at": ended} | fields))


def failure(kind: Any, seconds_ago: float = 1.0, **fields: Any) -> Measurement:
    return call(seconds_ago, success=False, error_type=kind, **fields)


def insert(database: Database, *batch: Measurement) -> None:
    with database.transaction() as session:
        insert_measurements(session, batch)


def tallies(database: Database, **options: Any) -> list[Tally]:
    with database.reading() as session:
        return sorted(recent_traffic(session, NOW, **options), key=lambda one: (one.service, one.slot, str(one.outcome)))


def standing(database: Database, now: float = NOW) -> Standing:
    with database.reading() as session:
        return read_standing(session, now)


def test_calls_are_counted_by_service_slot_and_end(database: Database) -> None:
    insert(
        database,
        call(10, response_time_ms=999.0),
        call(20, response_time_ms=1000.0, attempts=3, metadata={"rate_limited": 2}),
        call(30, response_time_ms=5000.0),
        failure("timeout", 40, response_time_ms=3000.0, metadata={"unsent": 1}, attempts=0),
        failure("circuit_open", 50, response_time_ms=None, attempts=0),
        call(SLOT + 1),
        call(3, source="others"),
    )
    well, refused, late, before, others = tallies(database)
    assert well == Tally("films", 0, None, 3, 3, 5, 2, 6999.0, 2, 1, 1, NOW - 30)
    assert refused == Tally("films", 0, "circuit_open", 1, 0, 0, 0, 0.0, 0, 0, 0, NOW - 50)
    assert late == Tally("films", 0, "timeout", 1, 1, 0, 0, 3000.0, 1, 1, 0, NOW - 40)
    assert (before.slot, before.ended, others.service) == (1, 1, "others")


def test_what_says_nothing_of_the_service_is_left_out(database: Database) -> None:
    insert(
        database,
        call(provenance="cache", attempts=0, response_time_ms=None),
        call(provenance="stale", attempts=0, response_time_ms=None),
        call(provenance="fallback", attempts=1),
        call(operation="probe"),
        call(kind="lookup"),
        call(kind="level"),
        call(-1),
        call(3 * SLOT),
    )
    assert tallies(database, slots=2) == []


def test_an_answer_from_elsewhere_is_a_failure_of_a_service_that_was_asked(database: Database) -> None:
    insert(database, call(provenance="stale", attempts=4), call(provenance="fallback", attempts=5, metadata={"unanswered": 1}))
    (only,) = tallies(database)
    assert (only.outcome, only.asked) == ("no_proper_answer", 2)


def test_a_command_started_now_sees_the_traffic_of_every_process(database: Database) -> None:
    insert(database, *[call() for _ in range(15)], *[failure("timeout", 200) for _ in range(5)])
    document = described(SPEC, standing(database))
    assert document == {
        "health": {
            "status": "degraded",
            "reason": "5 of 20 calls in the last 5 minutes failed, mostly timeout",
            "basis": "traffic",
            "avg_ms": 100.0,
            "calls": 20,
            "failed": 5,
            "checked_at": None,
        },
        "patterns": [],
    }
    assert standing(database, NOW + SLOT + 1).health(SPEC).status == "unknown", "five minutes later nobody knows"


def test_patterns_are_found_in_the_record(database: Database) -> None:
    insert(database, *[failure("timeout", 60, response_time_ms=5000.0) for _ in range(30)], call(10))
    assert described(SPEC, standing(database))["patterns"] == [
        {
            "kind": "error_rate",
            "message": "30 of 31 calls in the last 5 minutes failed, mostly timeout",
            "since": "2023-11-14T22:12:20+00:00",
            "figures": {"failed": 30, "calls": 31},
        },
        {
            "kind": "slow",
            "message": "30 of 31 calls in the last 5 minutes took 5 s or longer",
            "since": "2023-11-14T22:12:20+00:00",
            "figures": {"slow": 30, "calls": 31},
        },
    ]


@pytest.mark.parametrize(
    ("state", "changed", "retry", "mode", "expected"),
    [
        ("closed", -9, None, "auto", "closed"),
        ("open", -9, 30, "auto", "open"),
        ("open", -9, None, "auto", "open"),
        ("open", -90, -30, "auto", "half_open"),
        ("half_open", -9, None, "auto", "half_open"),
        ("ramp", -9, None, "auto", "ramp"),
        ("ramp", -FORGOTTEN - 1, None, "auto", "closed"),
        ("open", -9999, -FORGOTTEN - 1, "auto", "closed"),
        ("open", 59, 119, "auto", "open"),
        ("open", 61, 121, "auto", "closed"),
        ("open", -9, 30, "shadow", "closed"),
        ("closed", -9, None, "open", "open"),
    ],
)
def test_the_breaker_counts_as_calls_find_it(
    database: Database, state: str, changed: float, retry: float | None, mode: Any, expected: str
) -> None:
    retry_at = None if retry is None else NOW + retry
    with database.transaction() as session:
        record_transition(session, "films", state, changed_at=NOW + changed, retry_at=retry_at)
    spec = ServiceSpec(name="films", base_url="https://films.example", breaker_mode=mode)
    assert standing(database).breaker(spec) == expected


def test_a_look_is_kept_and_counts_for_five_minutes(database: Database) -> None:
    with database.transaction() as session:
        keep_health(session, "films", Health("healthy", "answered a probe in 80 ms", "probe", 80.0), now=NOW)
    found = described(SPEC, standing(database, NOW + SLOT))["health"]
    assert (found["status"], found["reason"]) == ("healthy", "answered a probe in 80 ms at 22:13 UTC")
    assert (found["avg_ms"], found["checked_at"]) == (80.0, "2023-11-14T22:13:20+00:00")
    assert standing(database, NOW + SLOT + 1).health(SPEC).status == "unknown"


def test_what_was_read_off_traffic_or_breaker_is_no_look(database: Database) -> None:
    with database.transaction() as session:
        keep_health(session, "films", Health("healthy", "all calls answered", "traffic", 80.0), now=NOW)
    assert standing(database).health(SPEC).status == "unknown"


def test_the_latest_look_is_kept_with_the_time_of_the_last_change(database: Database) -> None:
    well, ill = Health("healthy", "answers", "probe", 80.0), Health("down", "does not", "probe")
    for status, moment in ((well, NOW), (well, NOW + 30), (ill, NOW + 60), (ill, NOW + 90), (well, NOW + 75)):
        with database.transaction() as session:
            keep_health(session, "films", status, now=moment)
    with database.reading() as session:
        row = last_health(session)["films"]
    assert (row.status, row.reason, row.avg_ms) == ("down", "does not", None)
    assert (row.changed_at.timestamp(), row.checked_at.timestamp()) == (NOW + 60, NOW + 90)
