"""``kill -9`` at any point of a crawl loses and doubles nothing: run again, the database is that of an undisturbed run."""

from __future__ import annotations

import random
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.dump import natural_dump
from tests.support.runs import BIN, environment, fault, run, stats
from tests.support.waiting import within

KILLS = 20
CRAWL = ("crawl", "imdb", "-a", "event=ev0000091", "-a", "year=2024")


@dataclass(frozen=True)
class Undisturbed:
    """What a crawl that nobody kills stores, and how often it asks TMDb."""

    dump: list[str]
    requests: int

    def points(self, seed: str) -> list[tuple[tuple[str, int], tuple[str, int]]]:
        """Return for each database where two crawls in turn are killed, by service and number of its request.

        Each page of the festival is among them, and TMDb at random; the second crawl has at least as many requests left as the
        first was not answered.
        """
        draw = random.Random(seed)
        firsts = [
            ("imdb", 1),
            ("imdb", 2),
            *(("tmdb", point) for point in draw.sample(range(1, self.requests + 1), KILLS // 2 - 2)),
        ]
        left = [self.requests if service == "imdb" else self.requests - point + 1 for service, point in firsts]
        return [(first, ("tmdb", draw.randint(1, most))) for first, most in zip(firsts, left, strict=True)]


def _dump(folder: Path) -> list[str]:
    return natural_dump(f"sqlite:///{folder / 'run.db'}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    with ReplicaServer() as replica:
        done = run("scrapy", *CRAWL, env=environment(folder, replica.urls), folder=folder)
        requests = stats(replica.origin)["tmdb"]
    assert done.returncode == 0, done.stderr
    assert len(_dump(folder)) > 100
    return Undisturbed(_dump(folder), requests)


def crawl_until_killed(folder: Path, service: str, point: int) -> None:
    """Crawl until a service is sent its request of this number, and kill the process then."""
    with ReplicaServer() as replica:
        fault(replica.origin, service, "hang", after=point)
        env = environment(folder, replica.urls)
        with subprocess.Popen([str(BIN / "scrapy"), *CRAWL], env=env, cwd=folder, stderr=subprocess.DEVNULL) as crawl:
            reached = within(60, lambda: stats(replica.origin).get(service, 0) >= point)
            crawl.send_signal(signal.SIGKILL)
    assert reached
    assert crawl.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", range(KILLS // 2))
def test_killed_at_any_point_and_run_again_it_is_as_if_nothing_had_happened(
    undisturbed: Undisturbed, testrun_uid: str, number: int, tmp_path: Path
) -> None:
    # Every worker of a run draws the same points.
    points = undisturbed.points(testrun_uid)[number]
    print(f"killed at requests {points}; again with --testrunuid={testrun_uid}")  # shown when the test fails
    for service, point in points:
        crawl_until_killed(tmp_path, service, point)
    with ReplicaServer() as replica:
        again = run("scrapy", *CRAWL, env=environment(tmp_path, replica.urls), folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert _dump(tmp_path) == undisturbed.dump
