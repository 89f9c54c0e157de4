"""Answers that come packed: unpacked by pieces within the time limit, and only so far."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import brotli  # type: ignore[import-untyped]
import httpx
import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.errors import InvalidResponseError, ServiceTimeoutError
from cinegraph_core.services.timing import bounded
from cinegraph_core.services.transport.unpacking import LARGEST, unpacked
from tests.support.cached_door import bench_of
from tests.support.door import NAME, Bench
from tests.support.fault_server import FaultServer, answer, slowly

BODY = b'{"id": 1, "title": "Alien"}'
BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
PACKED = {
    "gzip": gzip.compress(BODY),
    "deflate": zlib.compress(BODY),
    "DEFLATE": BARE.compress(BODY) + BARE.flush(),
    "br": brotli.compress(BODY),
    "deflate, gzip": gzip.compress(zlib.compress(BODY)),
    "identity": BODY,
    "unheard-of": BODY,
}
ROW = bytes(2**20)


def packed_rows(number: int) -> bytes:
    """Return so many MB, packed to a thousandth."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return b"".join([packer.compress(ROW) for _ in range(number)]) + packer.flush()


def got(bench: Bench, **headers: str) -> httpx.Response:
    async def get() -> httpx.Response:
        async with bench.services.http_client(NAME) as http:
            return await http.get("/film", headers=headers)

    return asyncio.run(get())


@pytest.mark.parametrize("coding", PACKED)
def test_a_body_is_unpacked_whatever_it_is_packed_with(server: FaultServer, coding: str) -> None:
    server.plan("/film", answer(200, PACKED[coding], {"Content-Encoding": coding}))
    response = got(bench_of(server.url))
    assert response.content == BODY
    assert response.headers["content-encoding"] == coding
    assert response.num_bytes_downloaded == len(PACKED[coding])
    assert server.received[0].headers["accept-encoding"] == "gzip, deflate, br"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("body", [b"not packed at all", b""])
def test_a_body_that_is_not_packed_is_no_answer_and_none_at_all_is_empty(server: FaultServer, coding: str, body: bytes) -> None:
    server.plan("/film", answer(200, body, {"Content-Encoding": coding}))
    if not body:
        assert got(bench_of(server.url)).content == b""
        return
    with pytest.raises(InvalidResponseError, match=f"packed with {coding}") as caught:
        got(bench_of(server.url))
    assert isinstance(caught.value, httpx.DecodingError)


def test_callers_who_wait_for_a_packed_answer_get_it_unpacked(server: FaultServer) -> None:
    """Only the first of them asks; the others get what it got."""

    server.plan("/film", slowly(answer(200, PACKED["gzip"], {"Content-Encoding": "gzip"})))
    bench = bench_of(server.url)

    async def get() -> list[bytes]:
        async with bench.services.http_client(NAME) as http:
            return [response.content for response in await asyncio.gather(*[http.get("/film") for _ in range(3)])]

    assert asyncio.run(get()) == [BODY] * 3
    assert server.counts["/film"] == 1


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_body_beyond_all_measure_is_refused_before_it_fills_the_memory(server: FaultServer, coding: str) -> None:
    size = LARGEST // len(ROW) + 1
    packed = packed_rows(size) if coding == "gzip" else brotli.compress(bytes(LARGEST + 1), quality=1)
    server.plan("/film", answer(200, packed, {"Content-Encoding": coding}))
    bench = bench_of(server.url)
    with pytest.raises(InvalidResponseError, match="more than 64 MB"):
        got(bench)
    assert bench.rows.brief == [(False, "invalid_response", 1)]


def test_lesson_23_unpacking_leaves_the_loop_to_others_and_ends_with_the_time_limit() -> None:
    packed, turns = packed_rows(40), 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def work() -> None:
        counting = asyncio.ensure_future(count())
        assert len(await unpacked(packed, ["gzip"])) == 40 * len(ROW)
        counting.cancel()
        with pytest.raises(ServiceTimeoutError), bounded(SystemClock(), 0.005):
            await unpacked(packed, ["gzip"])

    asyncio.run(work())
    assert turns > 100
