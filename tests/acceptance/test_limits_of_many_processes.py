"""A quota and a budget hold over all processes together, on both databases, also when one of them is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

from cinegraph_core.storage import Database
from cinegraph_core.storage.limits import current_counters
from tests.support.fault_server import FaultServer, answer, hang
from tests.support.runs import ROOT

NOON = 43_200 - time.time() % 86_400
"""Seconds from now to noon: no test may straddle a midnight."""
MONEY: dict[str, Any] = {"daily_budget_usd": 1.0, "price_per_call_usd": 0.1}


TOKENS = {
    "daily_budget_usd": 1.0,
    "price_per_million_input_tokens_usd": 10.0,
    "price_per_million_output_tokens_usd": 50.0,
    "max_input_tokens": 1000,
    "max_output_tokens": 1800,
}
"""A call costs at most $0.10."""
USED = b'{"usage": {"prompt_tokens": 500, "completion_tokens": 700}}'
"""It really cost $0.04."""


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    server.plan("/film", answer())
    server.plan("/hang", hang)
    server.plan("/chat", answer(200, USED))
    return server


@pytest.fixture
def url(database_url: str) -> str:
    """A database that is ready, so that no process has to wait for another's migrations."""
    database = Database(database_url)
    database.prepare("live")
    database.close()
    return database_url


def start(
    url: str, server: FaultServer, *, calls: int, parallel: int, path: str = "/film", later: float = 0.0, **settings: Any
) -> subprocess.Popen[str]:
    """Start a process that makes calls, some seconds ``later`` than noon."""
    order = {
        "database_url": url,
        "base_url": server.url,
        "path": path,
        "calls": calls,
        "parallel": parallel,
        "ahead": NOON + later,
    }
    command = [sys.executable, "-m", "tests.support.caller", json.dumps(order | {"settings": settings})]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finished(processes: list[subprocess.Popen[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for process in processes:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        total.update(json.loads(said))
    return total


def counted(url: str) -> dict[str, tuple[int, int]]:
    database = Database(url)
    with database.reading() as session:
        rows = {row.counter: (row.used, row.reserved) for row in current_counters(session, time.time() + NOON)}
    database.close()
    return rows


def test_lesson_26_of_200_parallel_calls_in_four_processes_a_budget_admits_exactly_ten(url: str, server: FaultServer) -> None:
    outcomes = finished([start(url, server, calls=50, parallel=50, **MONEY) for _ in range(4)])
    assert outcomes == {"answered": 10, "budget_exceeded": 190}
    assert server.counts["/film"] == 10
    assert counted(url) == {"daily_budget": (1_000_000, 0)}


def test_lesson_25_a_quota_is_not_exceeded_by_four_processes(url: str, server: FaultServer) -> None:
    quotas: dict[str, Any] = {"daily_quota": 60, "hourly_quota": 5000}
    outcomes = finished([start(url, server, calls=50, parallel=parallel, **quotas) for parallel in (1, 1, 25, 25)])
    assert outcomes == {"answered": 60, "quota_exceeded": 140}
    assert server.counts["/film"] == 60
    assert counted(url)["daily_quota"] == (60, 0)


def test_lesson_26_a_process_killed_between_reserve_and_settle_is_reconciled(url: str, server: FaultServer) -> None:
    killed = start(url, server, calls=1, parallel=1, path="/hang", **MONEY)
    assert server.reached.wait(20)
    killed.kill()
    killed.communicate()
    assert counted(url) == {"daily_budget": (0, 100_000)}

    outcomes = finished([start(url, server, calls=20, parallel=20, later=60, **MONEY)])
    # The killed one's request had left and may have cost money, so it counts; nothing stays reserved for ever.
    assert outcomes == {"answered": 9, "budget_exceeded": 11}
    assert counted(url) == {"daily_budget": (1_000_000, 0)}


def test_lesson_26_a_budget_of_tokens_holds_over_four_processes_and_what_one_gives_back_another_spends(
    url: str, server: FaultServer
) -> None:
    outcomes = finished([start(url, server, calls=50, parallel=1, path="/chat", **TOKENS) for _ in range(4)])
    answered = server.counts["/chat"]
    assert outcomes == {"answered": answered, "budget_exceeded": 200 - answered}
    # Ten would be all, if each kept the $0.10 that were reserved for it.
    assert 10 < answered <= 25
    assert counted(url) == {"daily_budget": (answered * 40_000, 0)}


def test_lesson_26_a_killed_call_that_may_have_taken_all_its_tokens_is_counted_with_all_of_them(
    url: str, server: FaultServer
) -> None:
    killed = start(url, server, calls=1, parallel=1, path="/hang", **TOKENS)
    assert server.reached.wait(20)
    killed.kill()
    killed.communicate()
    assert counted(url) == {"daily_budget": (0, 100_000)}
    outcomes = finished([start(url, server, calls=1, parallel=1, path="/chat", later=60, **TOKENS)])
    assert outcomes == {"answered": 1}
    assert counted(url) == {"daily_budget": (140_000, 0)}
