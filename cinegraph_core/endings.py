"""How a command ends: its exit code, and one sentence on standard error where something is wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping

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


def complain(error: Exception) -> None:
    """Tell the person at the terminal what is wrong."""
    sys.stderr.write(f"Error: {error}\n")
