"""How plugins may name what they register."""

from __future__ import annotations

import re

from cinegraph_core.errors import PluginError

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_name(owner: str, name: str) -> None:
    """Raise :class:`PluginError` unless ``name`` is lower-case letters, digits and ``_``, beginning with a letter."""
    if not _NAME.fullmatch(name):
        raise PluginError(f"{owner} has the name {name!r}; a name is lower-case letters, digits and '_', e.g. 'my_festival'")
