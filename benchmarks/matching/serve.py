"""A replica of the catalogue for the length of a measurement, and the real command run against it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from sets import Labelled, Row, Score

_PATIENCE = 180.0


@contextmanager
def replica(shared: Path, distractors: int = 0) -> Iterator[str]:
    """Serve the shared catalogue without the films that shall be absent; yield its URL and stop it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = shared / "data"
    arguments = ["--catalogue", data / "catalogue" / "tmdb_catalogue.csv.gz", "--exclude", data / "matching" / "dev_absent.txt"]
    command = [sys.executable, shared / "tools" / "replica.py", *arguments, "--port", port, "--distractors", distractors]
    server = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, server)
        yield url
    finally:
        server.terminate()
        server.wait()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(f"{url}/__stats").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.5)
        else:
            return
    raise SystemExit("the replica did not start")


def command_answers(url: str, some: Sequence[Labelled]) -> list[Row]:
    """Return what ``cinegraph match --json`` prints for the lookups, with a fresh database, no cache and no rate limit."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "CINEGRAPH_MODE": "real",
            "CINEGRAPH_DATABASE_URL": f"sqlite:///{folder}/m.db",
            "CINEGRAPH_SERVICES__TMDB__BASE_URL": f"{url}/tmdb/3",
            "CINEGRAPH_SERVICES__TMDB__API_KEY": "x",
            "CINEGRAPH_SERVICES__TMDB__CACHE_TTL": "0",
            "CINEGRAPH_SERVICES__TMDB__RATE_PER_SECOND": "0",
        }
        lines = "".join(json.dumps(one.row) + "\n" for one in some)
        command = [str(Path(sys.executable).with_name("cinegraph")), "match", "--json"]
        done = subprocess.run(command, input=lines.encode(), env=environ, stdout=subprocess.PIPE, cwd=folder, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def scored(some: Sequence[Labelled], answers: Sequence[Row]) -> Score:
    """Return how the answers did."""
    score = Score()
    for one, answer in zip(some, answers, strict=True):
        found = answer["tmdb_id"] if answer["status"] == "matched" else None
        shown = [candidate["tmdb_id"] for candidate in answer["candidates"]] if answer["status"] == "review" else []
        score.add(one, found, shown, answer["api_calls"])
    return score
