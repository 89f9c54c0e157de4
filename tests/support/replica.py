"""Asking the replica over HTTP, and telling it how to fail."""

from __future__ import annotations

from typing import Any

import httpx

KEY = {"api_key": "any"}


def fault(client: httpx.Client, service: str, kind: str | None, **fields: Any) -> None:
    client.post("/__faults", json={"service": service, "kind": kind, **fields}).raise_for_status()


def counts(client: httpx.Client) -> dict[str, int]:
    found: dict[str, int] = client.get("/__stats").json()["counts"]
    return found
