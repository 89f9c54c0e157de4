"""Bodies that come packed: unpacked a piece at a time, so that no service can hold the event loop or fill the memory."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator, Sequence

from cinegraph_core.errors import InvalidResponseError

LARGEST = 64 * 2**20
"""Bytes that a packed body may have when it is unpacked; deflate packs a thousand to one, brotli a million to one."""
_PIECE = 2**18
"""Bytes that are unpacked at a time, which takes less than a millisecond."""


async def unpacked(body: bytes, codings: Sequence[str]) -> bytes:
    """Return a body unpacked, whose ``codings`` were applied in this order; the loop runs between the pieces.

    As in httpx, one that is not known is left as it is. Raises :class:`InvalidResponseError` for a body that is broken or has
    more than :data:`LARGEST` bytes.
    """
    for coding in reversed(codings):
        unpack = _UNPACKERS.get(coding.lower())
        if unpack is not None:
            body = await _whole(unpack(body), coding)
    return body


async def _whole(pieces: Iterator[bytes], coding: str) -> bytes:
    whole = bytearray()
    while piece := _next(pieces, coding):
        whole += piece
        if len(whole) > LARGEST:
            raise InvalidResponseError(f"a body packed with {coding} has more than {LARGEST // 2**20} MB")
        if len(piece) >= _PIECE:
            await asyncio.sleep(0)
    return bytes(whole)


def _next(pieces: Iterator[bytes], coding: str) -> bytes:
    try:
        return next(pieces, b"")
    except Exception as error:  # what zlib and brotli raise has nothing in common
        raise InvalidResponseError(f"a body that is not packed with {coding}, as it says: {error}") from error


def _gunzipped(body: bytes) -> Iterator[bytes]:
    return _inflated(body, zlib.MAX_WBITS | 16)


def _deflated(body: bytes) -> Iterator[bytes]:
    """Unpack what is called ``deflate``, which some send without the frame that RFC 9110 (8.4.1.2) asks for."""
    is_framed = len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflated(body, zlib.MAX_WBITS if is_framed else -zlib.MAX_WBITS)


def _inflated(body: bytes, bits: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(bits)
    while piece := stream.decompress(body, _PIECE):
        yield piece
        body = stream.unconsumed_tail


def _unbrotlied(body: bytes) -> Iterator[bytes]:
    import brotli  # type: ignore[import-untyped]  # noqa: PLC0415 - few answers need it

    stream = brotli.Decompressor()
    while piece := stream.process(body, output_buffer_limit=_PIECE):
        yield piece
        body = b""


_UNPACKERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {"gzip": _gunzipped, "deflate": _deflated, "br": _unbrotlied}
ACCEPTED = ", ".join(_UNPACKERS)
"""What a request says of itself in ``Accept-Encoding``."""
