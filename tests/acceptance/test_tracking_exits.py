"""Nothing acknowledged is lost at a graceful end: a thousand rows, five ways to end, the real sink, a real file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cinegraph_core.storage import Database
from cinegraph_core.storage.limits import current_counters
from tests.support.workers import CALLS

ROOT = Path(__file__).resolve().parents[2]
ROWS = 1000
PROLOGUE = f"""
import asyncio, os, signal, sys, time
from datetime import UTC, datetime
from cinegraph_core import Measurement, SinkContext
from cinegraph_core.plugins import load_plugins
from cinegraph_core.storage import Database
from cinegraph_core.storage.metrics import insert_measurements
from cinegraph_core.testing import FakeClock
from cinegraph_core.tracking import Tracker

database = Database(sys.argv[1])
database.prepare("mock")

def store(batch):
    with database.transaction() as session:
        insert_measurements(session, batch)

tracker = Tracker(load_plugins().metrics_sinks(), SinkContext(sys.argv[1], store, FakeClock()))

def record():
    for number in range({ROWS}):
        tracker.record(Measurement("tmdb", "find_by_imdb", f"tt{{number}}", True, datetime(2026, 1, 2, tzinfo=UTC)))

def wait():
    print("ready", flush=True)
    time.sleep(60)
"""
ENDS = {
    "normal": ("record()", None, 0),
    "exception": ("record()\nraise ValueError('boom')", None, 1),
    "sigterm": ("record()\nwait()", signal.SIGTERM, 128 + signal.SIGTERM),
    "ctrl_c": ("record()\nwait()", signal.SIGINT, -signal.SIGINT),
    "sigterm_in_asyncio": (
        "async def main():\n    record()\n    print('ready', flush=True)\n    await asyncio.sleep(60)\nasyncio.run(main())",
        signal.SIGTERM,
        128 + signal.SIGTERM,
    ),
    "sigterm_in_a_transaction": (
        "with database.transaction() as session:\n    record()\n    wait()",
        signal.SIGTERM,
        128 + signal.SIGTERM,
    ),
    "sys_exit": ("record()\nsys.exit(3)", None, 3),
}


def ended_by(process: subprocess.Popen[str], sent: signal.Signals) -> str:
    """Send a signal until the process ends, as a supervisor does.

    Python notes a signal that comes just before a system call, and acts on it only when the call returns.
    """
    for _ in range(6):
        process.send_signal(sent)
        try:
            return process.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    raise AssertionError(f"six times {sent.name} did not end it: {process.communicate()[1]}")


@pytest.mark.parametrize("end", ENDS)
def test_lesson_30_nothing_recorded_is_lost_when_the_process_ends(tmp_path: Path, end: str) -> None:
    body, sent, code = ENDS[end]
    url = f"sqlite:///{tmp_path / 'cinegraph.db'}"
    command = [sys.executable, "-c", f"{PROLOGUE}\n{body}\n", url]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if sent is not None:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        errors = ended_by(process, sent)
    else:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*), count(DISTINCT target_identifier) FROM api_lookup_metrics")).one()
    engine.dispose()
    assert tuple(found) == (ROWS, ROWS), errors


@pytest.mark.parametrize(("method", "way"), [("fork", "process"), ("fork", "pool"), ("forkserver", "process")])
def test_lesson_30_a_worker_of_multiprocessing_loses_no_row_and_settles_what_it_leased(
    tmp_path: Path, method: str, way: str
) -> None:
    url = f"sqlite:///{tmp_path / 'cinegraph.db'}"
    database = Database(url)
    database.prepare("live")
    settings = {"DATABASE_URL": url, "MODE": "real", "OWN_SERVICES": "films", "SERVICES__FILMS__DAILY_QUOTA": "1000"}
    environment = os.environ | {f"CINEGRAPH_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "tests.support.workers", method, way]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with database.reading() as session:
        rows = session.execute(text("SELECT count(*) FROM api_lookup_metrics")).scalar_one()
        (counter,) = current_counters(session, time.time())
    database.close()
    assert (rows, counter.used, counter.reserved) == (CALLS, CALLS, 0)


def test_somebody_elses_sigterm_handler_is_left_alone(tmp_path: Path) -> None:
    body = """
record()
tracker.close()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
def mine(*_): sys.exit(7)
signal.signal(signal.SIGTERM, mine)
second = Tracker({}, SinkContext(sys.argv[1], store, FakeClock()))
assert signal.getsignal(signal.SIGTERM) is mine
second.close()
assert signal.getsignal(signal.SIGTERM) is mine
"""
    command = [sys.executable, "-c", f"{PROLOGUE}\n{body}\n", f"sqlite:///{tmp_path / 'cinegraph.db'}"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
