"""No secret leaves: a key that is easy to recognise goes through every command and every kind of failure, and is looked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.fault_server import Exchange, FaultServer, head_of
from tests.support.runs import environment, fault, query, run

V3 = "c4n4ry5e0f/3+a7b2d1"
"""Like a v3 key, which travels in the query; the slash and the plus are written otherwise there."""
V4 = "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiJjNG40cnkifQ.c4n4ry_signature-04"
"""Like a v4 token, which travels in a header."""
CRAWL = ("crawl", "imdb", "-a", "event=ev0000681", "-a", "year=2024", "-O", "feed.jsonl", "-O", "feed.csv")
QUICK = {
    "LOG_LEVEL": "DEBUG",
    "SERVICES__TMDB__RETRIES": "0",
    "SERVICES__TMDB__BREAKER_FAILURES": "3",
    "SERVICES__IMDB__RETRIES": "0",
}


def _forms(key: str) -> set[bytes]:
    """The ways in which a key could be written down."""
    plain = {key, quote(key, safe=""), json.dumps(key)[1:-1], base64.b64encode(key.encode()).decode()}
    return {form.encode() for form in plain}


def _leaks(key: str, folder: Path, said: str) -> list[str]:
    """Where the key stands: in what was said, or in a file below the folder (databases, their logs, feeds)."""
    places = {"what was said": said.encode()}
    places |= {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return sorted(name for name, content in places.items() if any(form in content for form in _forms(key)))


@pytest.fixture
def replica() -> Iterator[ReplicaServer]:
    with ReplicaServer() as server:
        yield server


@pytest.mark.parametrize(
    ("kind", "key"),
    [(None, V4), ("401", V3), ("401", V4), ("500", V3), ("reset", V4), ("garbage", V3), ("hang", V3)],
    ids=["well-v4", "401-v3", "401-v4", "500-v3", "reset-v4", "garbage-v3", "hang-v3"],
)
def test_a_key_stands_nowhere_whatever_fails(replica: ReplicaServer, tmp_path: Path, kind: str | None, key: str) -> None:
    keys = {"SERVICES__TMDB__API_KEY": key, "SERVICES__OMDB__API_KEY": key}
    env = environment(tmp_path, replica.urls, **QUICK, **keys, SERVICES__TMDB__TIMEOUT="0.5")
    fault(replica.origin, "tmdb", kind)
    commands = [CRAWL, ("match", "--title", "Maria", "--imdb-id", "tt0095016")]
    done = [run("cinegraph", "--debug", *command, env=env, folder=tmp_path) for command in commands]
    said = "".join(one.stdout + one.stderr for one in done)
    assert "DEBUG" in said, "there was something to look through"
    assert query(tmp_path, "select count(*) from api_lookup_metrics where source = 'tmdb' and kind = 'call'")[0][0] > 0
    assert (tmp_path / "feed.jsonl").stat().st_size > 1000
    assert _leaks(key, tmp_path, said) == []
    assert not query(tmp_path, "select error_message from api_lookup_metrics where error_message like '%127.0.0.1%'")


def test_a_key_stands_on_no_screen(replica: ReplicaServer, tmp_path: Path) -> None:
    secret = "p/w?c4n4ry"
    env = environment(tmp_path, replica.urls, **QUICK, SERVICES__TMDB__API_KEY=V3, SERVICES__OMDB__API_KEY=V3)
    screens = [("doctor", "--probe"), ("config", "show"), ("config", "show", "--json"), ("metrics", "summary"), ("plugins",)]
    done = [run("cinegraph", "--debug", *screen, env=env, folder=tmp_path) for screen in screens]
    assert [one.returncode for one in done if one.returncode] == []
    assert _leaks(V3, tmp_path, "".join(one.stdout + one.stderr for one in done)) == []

    wrong = {
        "DATABASE_URL": f"postgresql+psycopg://me:{secret}@127.0.0.1:1/films",
        "SERVICES__OMDB__BASE_URL": f"http://h/?k={V3}",
    }
    for name, value in wrong.items():
        broken = env | {f"CINEGRAPH_{name}": value}
        done = [run("cinegraph", "--debug", *screen, env=broken, folder=tmp_path) for screen in (*screens[:2], ("db", "check"))]
        said = "".join(one.stdout + one.stderr for one in done)
        assert f"CINEGRAPH_{name}" in said or "127.0.0.1:1" in said
        assert _leaks(V3, tmp_path, said) == []
        assert _leaks(secret, tmp_path, said) == []


def _echo(exchange: Exchange) -> None:
    """Say in an error everything that was asked, as a careless service or proxy does."""
    words = f"{exchange.target} {exchange.headers.get('authorization', '')}"
    body = json.dumps({"success": False, "status_code": 7, "status_message": f"Bad key in {words}"}).encode()
    exchange.send(head_of(200, len(body)) + body)


@pytest.mark.parametrize("key", [V3, V4], ids=["v3", "v4"])
def test_a_key_that_the_service_itself_repeats_stands_nowhere(tmp_path: Path, key: str) -> None:
    with FaultServer() as server:
        server.plan("/search/movie", _echo)
        env = environment(tmp_path, {"tmdb": server.url}, **QUICK, SERVICES__TMDB__API_KEY=key)
        done = run("cinegraph", "--debug", "match", "--title", "Maria", env=env, folder=tmp_path)
    assert "Bad key in" in done.stderr
    assert _leaks(key, tmp_path, done.stdout + done.stderr) == []
