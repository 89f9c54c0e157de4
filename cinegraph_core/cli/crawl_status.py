"""One line on standard error that tells how a crawl is getting on; silent when that is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

_COUNTED = {
    "downloader/response_count": "pages",
    "cinegraph/nominations": "nominations",
    "cinegraph/films/matched": "matched",
    "cinegraph/films/review": "to review",
    "cinegraph/films/not_found": "not found",
    "cinegraph/films/parked": "parked",
    "cinegraph/films/error": "errors",
}


@contextmanager
def live_status(what: str, statistics: Callable[[], Mapping[str, Any]]) -> Iterator[None]:
    """Show what ``statistics`` (Scrapy's) count while the block runs, refreshed by a thread of its own."""
    if not sys.stderr.isatty():
        yield
        return
    begun = time.monotonic()

    def line() -> Text:
        counted = statistics()
        parts = [f"{counted[key]} {word}" for key, word in _COUNTED.items() if counted.get(key)]
        return Text(f"{what}: {', '.join(parts) or 'starting'} · {time.monotonic() - begun:.0f} s")

    with Live(get_renderable=line, console=Console(stderr=True), refresh_per_second=4, transient=True):
        yield
