"""Asking the replica over HTTP, and telling it how to fail."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Any

import httpx

KEY = {"api_key": "any"}


def free_port() -> int:
    """Return a port that is free, below those that the system gives to whoever asks for any."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("of a hundred ports none is free")


def fault(client: httpx.Client, service: str, kind: str | None, **fields: Any) -> None:
    client.post("/__faults", json={"service": service, "kind": kind, **fields}).raise_for_status()


def counts(client: httpx.Client) -> dict[str, int]:
    found: dict[str, int] = client.get("/__stats").json()["counts"]
    return found
