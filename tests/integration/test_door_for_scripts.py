"""``services.client``: the door for a script that knows nothing of applications."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fault_server import FaultServer, answer

SCRIPT = """
import asyncio
from cinegraph_core import services

async def main():
    async with services.client("tmdb") as http:
        response = await http.get("/movie/603")
        print(response.json()["id"], response.url.path)

asyncio.run(main())
"""


def run(code: str, directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CINEGRAPH_")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=directory, env=kept | environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_script_gets_retries_and_a_row_from_the_door(tmp_path: Path) -> None:
    import sqlite3

    with FaultServer() as server:
        server.plan("/api/3/movie/603", answer(503, b"{}", {"Retry-After": "0.1"}), answer(200, b'{"id": 603}'))
        ran = run(
            SCRIPT,
            tmp_path,
            CINEGRAPH_MODE="real",
            CINEGRAPH_SERVICES__TMDB__BASE_URL=f"{server.url}/api/3",
            CINEGRAPH_SERVICES__TMDB__API_KEY="canary-key",
        )
        assert ran.stdout.split() == ["603", "/api/3/movie/603"], ran.stderr
        assert server.counts["/api/3/movie/603"] == 2
    assert "canary" not in ran.stderr
    with sqlite3.connect(tmp_path / "cinegraph.db") as database:
        rows = database.execute("select source, operation, attempts, success from api_lookup_metrics").fetchall()
    database.close()
    assert rows == [("tmdb", "request", 2, 1)]


@pytest.mark.parametrize(
    ("imported", "unwanted"),
    [
        ("cinegraph_core.services", {"httpx", "scrapy", "sqlalchemy", "cinegraph_core.application"}),
        (
            "cinegraph_core.resilience.breaker, cinegraph_core.resilience.retry, cinegraph_core.resilience.rate",
            {"httpx", "pydantic"},
        ),
    ],
)
def test_what_the_door_needs_is_imported_late(imported: str, unwanted: set[str], tmp_path: Path) -> None:
    ran = run(f"import {imported}, sys; print(*sys.modules)", tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert not unwanted & set(ran.stdout.split())
