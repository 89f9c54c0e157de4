"""Finding the data inside an event page: JSON in a script, in the layout until 2023 or the one since 2024."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from cinegraph_core import InvalidResponseError, LayoutChangedError

Parser = Literal["event_widget", "event_next_data"]

_STARTS: tuple[tuple[Parser, re.Pattern[str]], ...] = (
    ("event_next_data", re.compile(r"""<script[^>]*\bid=["']__NEXT_DATA__["'][^>]*>\s*""")),
    ("event_widget", re.compile(r"""IMDbReactWidgets\.NomineesWidget\.push\(\s*\[\s*["'][^"']*["']\s*,\s*""")),
)


def find_payload(page: str, url: str) -> tuple[Parser, dict[str, Any]]:
    """Return which layout the page has and its data.

    Raises :class:`LayoutChangedError` where neither layout is there, :class:`InvalidResponseError` for broken JSON.
    """
    for parser, start in _STARTS:
        if match := start.search(page):
            return parser, _decode(page, match.end(), url)
    raise LayoutChangedError(f"no event data on {url}: neither __NEXT_DATA__ nor the NomineesWidget is there", url=url)


def _decode(page: str, offset: int, url: str) -> dict[str, Any]:
    # The JSON ends where it says itself: what follows it, and brackets inside its texts, must not matter.
    try:
        payload, _ = json.JSONDecoder().raw_decode(page, offset)
    except json.JSONDecodeError as error:
        raise InvalidResponseError(f"the event data on {url} is cut off or broken: {error}", service="imdb", url=url) from error
    if not isinstance(payload, dict):
        raise LayoutChangedError(f"the event data on {url} is a {type(payload).__name__}, not an object", url=url)
    return payload
