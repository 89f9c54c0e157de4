"""What a fault does to an answer.

In this order: the request is counted; ``slow`` waits and then answers well; the kinds that stand for the answer (a status,
``garbage``, ``html``, ``waf``, ``hang``, ``reset``) never ask the service; ``cut``, ``drip`` and ``truncated`` take the
service's true answer and spoil it on the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cinegraph_replica.faults import STATUS_KINDS, Fault

TRANSPORT = "cinegraph.transport"
"""The scope extension under which the server's protocol hands out the connection's transport."""

HANG_SECONDS = 3600.0
SLOW_SECONDS = 8.0
DRIP_SECONDS = 1.0

# TMDb's own codes and texts: its documented status codes.
_TMDB_ERRORS = {
    "401": (7, "Invalid API key: You must be granted a valid key."),
    "403": (3, "Authentication failed: You do not have permissions to access the service."),
    "404": (34, "The resource you requested could not be found."),
    "429": (25, "Your request count (#) is over the allowed limit of (40)."),
    "500": (11, "Internal error: Something went wrong, contact TMDb."),
    "502": (43, "Couldn't connect to the backend server."),
    "503": (9, "Service offline: This service is temporarily offline, try again later."),
    "504": (24, "Your request to the backend server timed out. Try again."),
}


@dataclass(slots=True)
class _Taken:
    """A whole answer, held back."""

    start: MutableMapping[str, Any] = field(default_factory=dict)
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")


async def answer(fault: Fault | None, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request, well or with the fault that strikes it."""
    if fault is None:
        await app(scope, receive, send)
    elif fault.kind == "slow":
        if not await _gone(receive, _pause(fault, SLOW_SECONDS)):
            await app(scope, receive, send)
    elif fault.kind == "hang":
        await _gone(receive, _pause(fault, HANG_SECONDS))
        await _reset(scope, receive)
    elif fault.kind == "reset":
        await _reset(scope, receive)
    elif fault.kind in ("cut", "drip", "truncated"):
        taken = _Taken()
        await app(scope, receive, taken.send)
        await _spoil(fault, taken, scope, receive, send)
    else:
        await _refusal(fault)(scope, receive, send)


async def _spoil(fault: Fault, taken: _Taken, scope: Scope, receive: Receive, send: Send) -> None:
    half = taken.body[: len(taken.body) // 2]
    if fault.kind == "truncated":
        headers = [(name, value) for name, value in taken.start["headers"] if name != b"content-length"]
        taken.start["headers"] = [*headers, (b"content-length", str(len(half)).encode())]
        await send(taken.start)
        await send({"type": "http.response.body", "body": half})
        return
    await send(taken.start)
    if fault.kind == "cut":
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _reset(scope, receive)
        return
    for offset in range(len(taken.body)):
        await send({"type": "http.response.body", "body": taken.body[offset : offset + 1], "more_body": True})
        if await _gone(receive, _pause(fault, DRIP_SECONDS)):
            return
    await send({"type": "http.response.body", "body": b""})


def _refusal(fault: Fault) -> Response:
    if fault.kind in STATUS_KINDS:
        response = _error(fault.service, fault.kind)
        wait = fault.retry_after if fault.retry_after is not None else 1 if fault.kind == "429" else None
        if wait is not None:
            response.headers["retry-after"] = f"{wait:g}"
        return response
    if fault.kind == "garbage":
        return Response("<html>oops", media_type="application/json")
    if fault.kind == "waf":
        page = "<!DOCTYPE html><html><head><script>window.awsWafCookieDomainList=[];window.gokuProps={}</script></head></html>"
        return HTMLResponse(page, status_code=202, headers={"x-amzn-waf-action": "challenge"})
    return HTMLResponse(
        "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back</h1></body></html>"
    )


def _error(service: str, kind: str) -> Response:
    """Return an error as the service itself words it."""
    status = int(kind)
    if service == "tmdb":
        code, text = _TMDB_ERRORS[kind]
        return JSONResponse({"success": False, "status_code": code, "status_message": text}, status)
    if service == "omdb":
        # OMDb says with 401 both that the key is wrong and that the day's quota is used up.
        text = "Request limit reached!" if kind == "401" else "Error getting data."
        return JSONResponse({"Response": "False", "Error": text}, status)
    return HTMLResponse(f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>", status)


def _pause(fault: Fault, default: float) -> float:
    return default if fault.seconds is None else fault.seconds


async def _gone(receive: Receive, seconds: float) -> bool:
    """Wait, and return at once and ``True`` when the client hangs up meanwhile."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
            return True
    return False


async def _reset(scope: Scope, receive: Receive) -> None:
    """Break the connection off with a TCP RST; an ordinary close would look like a server that ended politely."""
    transport: asyncio.Transport = scope["extensions"][TRANSPORT]
    connection = transport.get_extra_info("socket")
    if not transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    await _gone(receive, 1.0)
