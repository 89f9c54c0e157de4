"""A disk that is full costs no call, admits none that cannot be counted, and loses no row once there is room again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.fault_server import FaultServer, answer

CALLS = 30
SCRIPT = f"""
import asyncio, json, resource, sys
from pathlib import Path
from sqlmodel import func, select
from cinegraph_core.application import Application
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import ServiceError
from cinegraph_core.settings import load_settings
from cinegraph_core.storage.tables import MetricRow

url, folder = sys.argv[1], Path(sys.argv[2])
given = {{"base_url": url, "cache_ttl": 0, "rate_per_second": 0}}
settings = load_settings(
    directory=folder, environ={{}}, mode="real", database_url=f"sqlite:///{{folder / 'run.db'}}", own_services="free,counted",
    services={{"free": given, "counted": {{**given, "daily_quota": 1000}}}},
)

async def ask(services, name, times):
    told = []
    async with services.http_client(name) as http:
        for _ in range(times):
            try:
                told.append((await http.get("/film")).status_code)
            except ServiceError as error:
                told.append(error.error_type)
    return told

async def main():
    async with Application.open(settings) as application:
        for name in ("free", "counted"):
            application.services.adopt(ServiceSpec(name, url))
        await ask(application.services, "counted", 1)
        application.tracker.flush()
        # No file may grow: to SQLite that is a disk without room.
        largest = max(file.stat().st_size for file in folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        free = await ask(application.services, "free", {CALLS})
        counted = await ask(application.services, "counted", {CALLS})
        kept = application.tracker.flush(1.0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        written = application.tracker.flush()
        with application.database.reading() as session:
            rows = session.exec(select(func.count()).select_from(MetricRow).where(MetricRow.kind == "call")).one()
        print(json.dumps({{"free": free, "counted": counted, "kept": kept, "written": written, "rows": rows}}))

asyncio.run(main())
"""


def test_a_full_disk_refuses_what_cannot_be_counted_and_loses_no_row(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/film", answer())
    root = Path(__file__).resolve().parents[2]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CINEGRAPH_", "TMDB_"))}
    command = [sys.executable, "-c", SCRIPT, server.url, str(tmp_path)]
    done = subprocess.run(command, cwd=root, env=clean, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["free"] == [200] * CALLS
    assert set(told["counted"]) <= {200, "quota_exceeded"}
    assert "quota_exceeded" in told["counted"], "what cannot be counted does not go"
    assert server.counts["/film"] == 1 + CALLS + told["counted"].count(200)
    assert (told["kept"], told["written"]) == (False, True), "the disk was full, and then it was not"
    assert told["rows"] == 1 + 2 * CALLS
