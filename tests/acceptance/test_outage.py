"""An outage is not a "not found": what TMDb could not be asked is asked again when it is back."""

from __future__ import annotations

import threading
from pathlib import Path

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import IMDB, environment, fault, query, run, stats

FEW_FILMS = ("crawl", "imdb", "-a", "event=ev0000091", "-a", "year=2023")
"""An edition of nine: a service that comes back is asked twice a second at first."""
FILMS = """select f.title, f.match_status, e.value from films f
           left join external_ids e on e.film_id = f.id and e.source = 'tmdb' where f.merged_into is null order by 1, 3"""


def test_lesson_08_a_replica_stopped_half_way_loses_no_film(tmp_path: Path) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    calm.mkdir()
    stormy.mkdir()
    with ReplicaServer() as pages:
        with ReplicaServer() as tmdb:
            urls = {**pages.urls, "tmdb": tmdb.urls["tmdb"]}
            run("scrapy", *IMDB, env=environment(calm, urls), folder=calm)
            half = stats(tmdb.origin)["tmdb"] // 2
        undisturbed = query(calm, FILMS)
        assert sum(status == "matched" for _, status, _ in undisturbed) > 10

        with ReplicaServer() as tmdb:
            urls = {**pages.urls, "tmdb": tmdb.urls["tmdb"]}
            env = environment(stormy, urls, SERVICES__TMDB__BREAKER_WAIT="1", SERVICES__TMDB__DEADLINE="3")
            fault(tmdb.origin, "tmdb", "hang", after=half)
            stopper = threading.Thread(target=_stop_when_asked, args=(tmdb, half))
            stopper.start()
            broken = run("scrapy", *IMDB, env=env, folder=stormy)
            stopper.join()
        statuses = {status for _, status, _ in query(stormy, FILMS)}
        assert "error" in statuses, broken.stderr
        lost = query(stormy, "select count(*) from match_decisions where status = 'not_found'")
        assert lost[0][0] <= sum(status == "not_found" for _, status, _ in undisturbed)

        with ReplicaServer() as back:  # elsewhere: another process may have been given the port meanwhile
            env = environment(stormy, {**urls, "tmdb": back.urls["tmdb"]}, SERVICES__TMDB__BREAKER_WAIT="1")
            mended = run("cinegraph", "match", "--pending", env=env, folder=stormy)
    assert mended.returncode == 0, mended.stderr
    assert query(stormy, FILMS) == undisturbed


def test_pending_waits_for_the_next_probe_and_says_so(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(
            tmp_path,
            replica.urls,
            SERVICES__TMDB__BREAKER_WAIT="1",
            SERVICES__TMDB__RETRIES="0",
        )
        fault(replica.origin, "tmdb", "500")
        run("scrapy", *FEW_FILMS, env=env, folder=tmp_path)
        assert {status for _, status, _ in query(tmp_path, FILMS)} == {"error"}

        fault(replica.origin, "tmdb", "500", times=2)
        mended = run("cinegraph", "match", "--pending", env=env, folder=tmp_path)

    assert mended.returncode == 0, mended.stderr
    assert "waiting" in mended.stderr
    assert "error" not in {status for _, status, _ in query(tmp_path, FILMS)}


def test_pending_does_not_wait_for_a_breaker_that_a_person_opened(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls, SERVICES__TMDB__BREAKER_MODE="open")
        crawl = run("cinegraph", *IMDB, env=env, folder=tmp_path)
        assert crawl.returncode == 1, crawl.stderr
        assert "→ circuit_open: the service kept failing" in crawl.stderr
        assert {status for _, status, _ in query(tmp_path, FILMS)} == {"error"}
        assert stats(replica.origin).get("tmdb", 0) == 0
        left = run("cinegraph", "match", "--pending", env=env, folder=tmp_path)
    assert left.returncode == 1
    assert "opened by hand" in left.stderr


def _stop_when_asked(replica: ReplicaServer, requests: int) -> None:
    while stats(replica.origin).get("tmdb", 0) < requests:
        threading.Event().wait(0.01)
    replica.stop()
