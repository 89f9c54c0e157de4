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

    def points(self, seed: str) -> list[tuple[str, int]]:
        """Return twenty services and numbers of requests: each page of the festival, and TMDb at random."""
        pages = [("imdb", 1), ("imdb", 2)]
        drawn = random.Random(seed).sample(range(1, self.requests + 1), KILLS - len(pages))
        return pages + [("tmdb", point) for point in sorted(drawn)]


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


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_any_point_and_run_again_it_is_as_if_nothing_had_happened(
    undisturbed: Undisturbed, testrun_uid: str, number: int, tmp_path: Path
) -> None:
    # Every worker of a run draws the same points.
    service, point = undisturbed.points(testrun_uid)[number]
    print(f"killed at request {point} of {service}; again with --testrunuid={testrun_uid}")  # shown when the test fails
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls)
        fault(replica.origin, service, "hang", after=point)
        with subprocess.Popen([str(BIN / "scrapy"), *CRAWL], env=env, cwd=tmp_path, stderr=subprocess.DEVNULL) as crawl:
            reached = within(60, lambda: stats(replica.origin).get(service, 0) >= point)
            crawl.send_signal(signal.SIGKILL)
        assert reached
        assert crawl.returncode == -signal.SIGKILL
        fault(replica.origin, service, None)
        again = run("scrapy", *CRAWL, env=env, folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert _dump(tmp_path) == undisturbed.dump
