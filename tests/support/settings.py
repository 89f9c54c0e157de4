"""Settings as a directory and an environment give them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cinegraph_core.settings import Settings

CANARY = "canary-key-3f9a"
Load = Callable[..., Settings]


def write(directory: Path, *, toml: str | None = None, dotenv: str | None = None) -> None:
    if toml is not None:
        (directory / "cinegraph.toml").write_text(toml, encoding="utf-8")
    if dotenv is not None:
        (directory / ".env").write_text(dotenv, encoding="utf-8")
