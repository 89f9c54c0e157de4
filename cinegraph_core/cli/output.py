"""How commands speak: data to standard output, everything said to a person to standard error, an exit code at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

DONE = 0
FAILED = 1
WRONG_USAGE = 2
NOTHING_TO_DO = 3
INTERRUPTED = 130
TERMINATED = 143

EXIT_CODES: Mapping[int, str] = {
    DONE: "done",
    FAILED: "something failed, and the message says what",
    WRONG_USAGE: "wrong usage: a command, option, argument or value that does not exist",
    NOTHING_TO_DO: "nothing to do where something was expected",
    INTERRUPTED: "interrupted; whatever was done is kept",
    TERMINATED: "ended by SIGTERM; whatever was done is kept",
}
"""Every exit code and what it means."""


def say(message: str) -> None:
    """Tell the person at the terminal something that is not a result."""
    click.echo(message, err=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document and nothing else."""
    text = json.dumps(document, ensure_ascii=False, default=str, indent=2)
    # As bytes: neither a terminal's encoding nor half a surrogate pair (which JSON writes in just this way) can break it.
    click.echo(text.encode(errors="backslashreplace"))
