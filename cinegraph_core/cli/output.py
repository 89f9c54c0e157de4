"""How commands speak: data to standard output, everything said to a person to standard error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click


def say(message: str) -> None:
    """Tell the person at the terminal something that is not a result."""
    click.echo(message, err=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document and nothing else."""
    text = json.dumps(document, ensure_ascii=False, default=str, indent=2)
    # As bytes: neither a terminal's encoding nor half a surrogate pair (which JSON writes in just this way) can break it.
    click.echo(text.encode(errors="backslashreplace"))
