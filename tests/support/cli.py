"""Commands run inside the test's own process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cinegraph_core import endings
from cinegraph_core.cli import root


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Run a command that must succeed, and return the one document it prints."""
    assert root.run([*arguments, "--json"]) == endings.DONE
    return json.loads(capsys.readouterr().out)
