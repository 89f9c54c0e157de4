"""A caller who streams an answer finds its body there: as it came, decoded, and by lines; kept answers too."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.door import NAME, run_in
from tests.support.fault_server import FaultServer, answer
from tests.support.keyed_door import KeyedBench

BODY = b"one\ntwo\nthree\n" * 20
PACKED = gzip.compress(BODY)


def streamed(services: Services, how: str, *, sync: bool, chunk_size: int | None = None) -> Any:
    """Return what ``iter_<how>`` of a streamed answer gives, and how many bytes it says came."""
    sized = {} if chunk_size is None else {"chunk_size": chunk_size}
    if sync:
        with services.sync_client(NAME) as http, http.stream("GET", "/film") as response:
            return list(getattr(response, f"iter_{how}")(**sized)), response.num_bytes_downloaded

    async def work() -> Any:
        async with services.http_client(NAME) as http, http.stream("GET", "/film") as response:
            return [part async for part in getattr(response, f"aiter_{how}")(**sized)], response.num_bytes_downloaded

    return run_in(services, work)


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("kept", [True, False])
def test_it_comes_raw_and_decoded(server: FaultServer, sync: bool, kept: bool) -> None:
    bench = KeyedBench(server.url, PatientClock(patient_from=5.0), cache_ttl=60.0 if kept else 0.0)
    server.plan("/film", answer(200, BODY, {"Content-Type": "text/plain"}))
    for _ in range(2):
        assert b"".join(streamed(bench.services, "raw", sync=sync)[0]) == BODY
        assert b"".join(streamed(bench.services, "bytes", sync=sync)[0]) == BODY
        assert streamed(bench.services, "lines", sync=sync)[0] == BODY.decode().split()
    assert server.counts["/film"] == (1 if kept else 6)


@pytest.mark.parametrize("sync", [True, False])
def test_a_compressed_body_comes_raw_as_it_was_sent(server: FaultServer, sync: bool) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", answer(200, PACKED, {"Content-Encoding": "gzip"}))
    parts, size = streamed(bench.services, "raw", sync=sync, chunk_size=10)
    assert b"".join(parts) == PACKED
    assert {len(part) for part in parts[:-1]} == {10}
    assert size == len(PACKED)
    assert b"".join(streamed(bench.services, "bytes", sync=sync)[0]) == BODY
