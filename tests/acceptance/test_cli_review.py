"""A person's word about a film is checked where it can be: a wrong digit must not stand for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import environment, fault, query, run

FEW_FILMS = ("crawl", "imdb", "-a", "event=ev0000091", "-a", "year=2023")
POOR_THINGS = "792307"


def decision(folder: Path) -> tuple[int, str, int]:
    """The film that stands first, its status and its id at TMDb."""
    (row,) = query(folder, "select film_id, status, tmdb_id from match_decisions order by film_id limit 1")
    return row


def test_an_id_that_tmdb_does_not_have_is_refused_and_what_another_is_gets_told(tmp_path: Path) -> None:
    with ReplicaServer() as replica:
        env = environment(tmp_path, replica.urls)
        run("cinegraph", *FEW_FILMS, env=env, folder=tmp_path)
        before = decision(tmp_path)
        film = str(before[0])
        wrong = run("cinegraph", "review", "accept", film, "--tmdb", "99999999", env=env, folder=tmp_path)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert "TMDb has no film 99999999: check the number" in wrong.stderr
        assert decision(tmp_path) == before

        fault(replica.origin, "tmdb", "500")
        env["CINEGRAPH_SERVICES__TMDB__RETRIES"] = "0"
        unasked = run("cinegraph", "review", "accept", film, "--tmdb", "88888888", env=env, folder=tmp_path)
        assert unasked.returncode == 0, unasked.stderr
        assert "could not be asked" in unasked.stderr
        assert decision(tmp_path)[2] == 88888888

        fault(replica.origin, "tmdb", None)
        other = run("cinegraph", "review", "accept", film, "--tmdb", POOR_THINGS, env=env, folder=tmp_path)
        assert other.returncode == 0, other.stderr
        assert f"TMDb {POOR_THINGS} is Poor Things (2023) by Yorgos Lanthimos" in other.stderr


@pytest.mark.parametrize("tmdb_id", ["278", POOR_THINGS])
def test_a_replica_that_answers_in_tmdbs_place_is_not_taken_for_tmdb(tmp_path: Path, tmdb_id: str) -> None:
    with ReplicaServer() as replica:
        # The base URL of hybrid mode is the live side; its replica is another one, which hybrid mode starts itself.
        env = environment(tmp_path, replica.urls, MODE="hybrid")
        run("cinegraph", *FEW_FILMS, env=env, folder=tmp_path)
        film = str(decision(tmp_path)[0])
        env["CINEGRAPH_SERVICES__TMDB__BREAKER_MODE"] = "open"
        accepted = run("cinegraph", "review", "accept", film, "--tmdb", tmdb_id, env=env, folder=tmp_path)
    assert accepted.returncode == 0, accepted.stderr
    assert f"TMDb could not be asked whether there is a film {tmdb_id} (only its replica" in accepted.stderr
    assert decision(tmp_path)[2] == int(tmdb_id)


def test_in_mock_mode_the_replica_is_the_one_to_ask(env: dict[str, str], tmp_path: Path) -> None:
    run("cinegraph", *FEW_FILMS, env=env, folder=tmp_path)
    film = str(decision(tmp_path)[0])
    wrong = run("cinegraph", "review", "accept", film, "--tmdb", "99999999", env=env, folder=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    told = run("cinegraph", "review", "accept", film, "--tmdb", POOR_THINGS, env=env, folder=tmp_path)
    assert f"TMDb {POOR_THINGS} is Poor Things (2023)" in told.stderr
