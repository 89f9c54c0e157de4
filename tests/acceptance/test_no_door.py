"""The door taken out of the chain of the httpx clients: a run that works with it must fail without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import environment, query, stats

QUESTION = json.dumps({"id": "a", "title": "The Room Next Door", "year": 2024, "directors": ["Pedro Almodóvar"]})
MATCH = "import sys\nfrom cinegraph_core.cli.root import run\nsys.exit(run(['match', '--json']))\n"
WITHOUT_DOOR = """
import httpx
from cinegraph_core.services import transport

transport.GuardedTransport = lambda services, name: httpx.AsyncHTTPTransport()
"""


def _match(program: str, env: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        input=QUESTION,
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_lesson_01_without_the_door_a_lookup_fails(tmp_path: Path) -> None:
    calls = "select count(*), sum(attempts) from api_lookup_metrics where kind = 'call'"
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls)
        led = _match(MATCH, env, tmp_path)
        counted = stats(replica.origin)["tmdb"]
        recorded = query(tmp_path, calls)
        bare = _match(WITHOUT_DOOR + MATCH, env, tmp_path)
        sent_past_it = stats(replica.origin)["tmdb"] - counted

    assert led.returncode == 0, led.stderr
    assert json.loads(led.stdout)["status"] == "matched"
    assert recorded[0][0] > 0
    assert recorded[0][1] == counted

    assert bare.returncode == 1, bare.stdout
    assert json.loads(bare.stdout)["status"] == "error"
    assert sent_past_it > 0
    assert query(tmp_path, calls) == recorded
