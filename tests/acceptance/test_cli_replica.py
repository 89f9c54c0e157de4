"""``cinegraph replica serve``: a process that answers until it is interrupted."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.support.replica import free_port
from tests.support.runs import begin, run, stats
from tests.support.waiting import within


def _answers(origin: str) -> bool:
    try:
        return stats(origin) == {}
    except OSError:
        return False


def test_the_replica_serves_until_it_is_interrupted(env: dict[str, str], tmp_path: Path) -> None:
    port = str(free_port())
    origin = f"http://127.0.0.1:{port}"
    process = begin("replica", "serve", "--port", port, "--fault", "tmdb=429", env=env, folder=tmp_path)
    try:
        assert within(20, lambda: _answers(origin))
    finally:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert b"MOCK data: the replica serves tmdb, " in told
    assert origin.encode() in told
    assert b"Traceback" not in told
    assert process.returncode == 130


@pytest.mark.parametrize("fault", ["tmdb", "tmdb=418", "nobody=429", "tmdb=429:2"])
def test_a_fault_that_makes_no_sense_is_wrong_usage(env: dict[str, str], tmp_path: Path, fault: str) -> None:
    done = run("cinegraph", "replica", "serve", "--port", str(free_port()), "--fault", fault, env=env, folder=tmp_path)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "serves" not in done.stderr, "it never did"


def test_a_port_in_use_is_told_instead_of_a_service(env: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("cinegraph", "replica", "serve", "--port", port, env=env, folder=tmp_path)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "serves" not in done.stderr, "it never did"
