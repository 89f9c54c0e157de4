"""Running the real commands, in real mode, against a replica of our own whose counts can be read."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VENICE = ("crawl", "venice", "-a", "year=2024")
IMDB = ("crawl", "imdb", "-a", "event=ev0000681", "-a", "year=2024")


def environment(folder: Path, urls: Mapping[str, str], **settings: str) -> dict[str, str]:
    """The environment of a run in real mode whose services are at ``urls``; ``settings`` are named without the prefix."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CINEGRAPH_") and "API_KEY" not in name}
    bases = {f"SERVICES__{name.upper()}__BASE_URL": url for name, url in urls.items()}
    own = {
        "MODE": "real",
        "DATABASE_URL": f"sqlite:///{folder / 'run.db'}",
        "SERVICES__TMDB__API_KEY": "x",
        "SERVICES__TMDB__RATE_PER_SECOND": "0",
        **bases,
        **settings,
    }
    return kept | {"SCRAPY_SETTINGS_MODULE": "cinegraph_spiders.settings"} | {f"CINEGRAPH_{name}": own[name] for name in own}


def mock(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of a run in mock mode, whose replica it starts by itself."""
    return environment(folder, {}, MODE="mock", **settings)


def run(
    command: str, *arguments: str, env: Mapping[str, str], folder: Path, timeout: float = 100
) -> subprocess.CompletedProcess[str]:
    """Run ``scrapy`` or ``cinegraph`` of this environment in a folder and return what it said."""
    return subprocess.run(
        [str(BIN / command), *arguments], env=dict(env), cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
    )


def begin(*arguments: str, env: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """Start ``cinegraph`` in a folder, its streams open to the test."""
    pipe = subprocess.PIPE
    return subprocess.Popen([str(BIN / "cinegraph"), *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=dict(env), cwd=folder)


def stats(origin: str) -> dict[str, int]:
    """What the replica counted, by service, route and fault."""
    with urllib.request.urlopen(f"{origin}/__stats") as answer:
        counts: dict[str, int] = json.load(answer)["counts"]
    return counts


def fault(origin: str, service: str, kind: str | None, **more: Any) -> None:
    """Let a service of the replica show a fault, or with ``None`` be well again."""
    body = json.dumps({"service": service, "kind": kind, **more}).encode()
    request = urllib.request.Request(f"{origin}/__faults", data=body, headers={"Content-Type": "application/json"})
    urllib.request.urlopen(request).close()


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the run's SQLite database directly, past our own repositories."""
    with sqlite3.connect(folder / "run.db") as database:
        return database.execute(sql).fetchall()


def count(folder: Path, table: str) -> int:
    """How many rows a table of the run's database has."""
    return int(query(folder, f"select count(*) from {table}")[0][0])


def feed(file: Path) -> list[dict[str, Any]]:
    """The lines of a JSON-lines feed."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
