"""The ``cinegraph`` command: one module per noun, loaded only when it is called."""

from __future__ import annotations

from cinegraph_core.cli.root import main

__all__ = ["main"]
