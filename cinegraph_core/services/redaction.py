"""Takes secrets out of text before it becomes a message, a row or a URL on screen."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus

from cinegraph_core.contracts import Credentials

MASK = "***"
_SHORTEST_KEY = 4
_SHORTEST_VALUE = 8
"""Shorter credential values (``json``, ``en-US``) are options, and masking them would garble every message."""


class Redactor:
    """Masks a service's key, the values made of it, and the query parameters that carry them."""

    def __init__(self, key: str = "", credentials: Credentials | None = None) -> None:
        credentials = credentials or Credentials()
        values = {key} if len(key) >= _SHORTEST_KEY else set()
        values |= {
            value for value in (*credentials.params.values(), *credentials.headers.values()) if len(value) >= _SHORTEST_VALUE
        }
        forms = {form for value in values for form in (value, quote(value, safe=""), quote_plus(value))}
        patterns = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
        patterns += [rf"(?<=[?&]{re.escape(name)}=)[^&#\s\"'<>]+" for name in credentials.params]
        self._pattern = re.compile("|".join(patterns)) if patterns else None
        self.masks = bool(patterns)
        """Whether there is anything to mask."""

    def __call__(self, text: str) -> str:
        """Return the text with every secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text
