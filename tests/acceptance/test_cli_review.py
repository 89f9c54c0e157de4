"""A person's word about a film is checked where it can be: a wrong digit must not stand for good."""

from __future__ import annotations

from pathlib import Path

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
