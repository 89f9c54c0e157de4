"""How a script without an application of its own gets a client: ``services.client("tmdb")``.

The application stands a floor above this room, so it is not imported here; it registers how it is opened when it is
imported itself, and is fetched by name if nobody has.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from cinegraph_core.services.door import Services

if TYPE_CHECKING:
    from cinegraph_core.services.transport import AsyncClient

_APPLICATION = "cinegraph_core.application"


class Opened(Protocol):
    """What an opener returns: an open application."""

    @property
    def services(self) -> Services:
        """Return its door."""
        ...


_lock = threading.Lock()
_openers: list[Callable[[], Opened]] = []
_opened: list[Opened] = []


def set_opener(opener: Callable[[], Opened]) -> None:
    """Say how an application is opened for scripts that ask for a client; the latest word counts."""
    with _lock:
        _openers[:] = [opener]
        _opened.clear()


def client(name: str) -> AsyncClient:
    """Return an ``httpx.AsyncClient`` for a service, with breaker, retry, timeout and tracking, for any script.

    Use it so::

        async with services.client("tmdb") as http:
            print((await http.get("/movie/603")).json())

    Opens the application on first use, with the settings of the current directory and the environment, and keeps it for
    the life of the process. Raises :class:`ConfigurationError` for an unknown service; requests raise
    :class:`ServiceError`.
    """
    if not _openers:
        importlib.import_module(_APPLICATION)
    with _lock:
        if not _opened:
            _opened.append(_openers[0]())
        return _opened[0].services.http_client(name)
