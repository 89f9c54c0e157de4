"""What the tests of whole commands stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.runs import mock


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a command in mock mode, with a database in the test's own folder."""
    return mock(tmp_path)
