"""``kill -9`` at any point of a crawl loses and doubles nothing: run again, the database is that of an undisturbed run."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.dump import natural_dump
from tests.support.runs import BIN, environment, fault, run, stats

KILLS = 20
CRAWL = ("crawl", "imdb", "-a", "event=ev0000091", "-a", "year=2024")


def _dump(folder: Path) -> list[str]:
    return natural_dump(f"sqlite:///{folder / 'run.db'}")


def _killed_at(point: int, folder: Path, service: str) -> list[str]:
    """Kill a crawl when a service has been asked ``point`` times, run it again, and return what is stored."""
    folder.mkdir()
    with ReplicaServer() as replica:
        env = environment(folder, replica.urls)
        fault(replica.origin, service, "hang", after=point)
        with subprocess.Popen([str(BIN / "scrapy"), *CRAWL], env=env, cwd=folder, stderr=subprocess.DEVNULL) as crawl:
            patience = time.monotonic() + 60
            while stats(replica.origin).get(service, 0) < point and time.monotonic() < patience:
                time.sleep(0.01)
            crawl.send_signal(signal.SIGKILL)
        assert crawl.returncode == -signal.SIGKILL
        fault(replica.origin, service, None)
        again = run("scrapy", *CRAWL, env=env, folder=folder)
        assert again.returncode == 0, again.stderr
    return _dump(folder)


@pytest.mark.timeout(300)
def test_killed_at_twenty_points_and_run_again_it_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    with ReplicaServer() as replica:
        done = run("scrapy", *CRAWL, env=environment(undisturbed, replica.urls), folder=undisturbed)
        counted = stats(replica.origin)
    assert done.returncode == 0, done.stderr
    expected = _dump(undisturbed)
    assert len(expected) > 100

    seed = random.randrange(10**6)
    print(f"seed {seed}")  # shown by pytest when the test fails
    points = [("imdb", 1), ("imdb", 2)]
    points += [("tmdb", point) for point in sorted(random.Random(seed).sample(range(1, counted["tmdb"] + 1), KILLS - 2))]
    with ThreadPoolExecutor(2) as pool:
        dumps = pool.map(lambda at: _killed_at(at[1], tmp_path / f"{at[0]}{at[1]}", at[0]), points)
        for at, dump in zip(points, dumps, strict=True):
            assert dump == expected, f"killed at {at}"
