"""How a script without an application of its own gets a client: ``services.client("tmdb")``.

The application stands a floor above this room, so it is not imported here; it registers how it is opened when it is
imported itself, and is fetched by name if nobody has.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol, overload

from cinegraph_core.services.door import Services

if TYPE_CHECKING:
    from cinegraph_core.services.transport import AsyncClient, Client

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
_inherited: list[Opened] = []


def _disown() -> None:
    """Let a forked child open an application of its own; to close the parent's would close the parent's connections."""
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()
    _inherited.extend(_opened)
    _opened.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown)


def set_opener(opener: Callable[[], Opened]) -> None:
    """Say how an application is opened for scripts that ask for a client; the latest word counts."""
    with _lock:
        _openers[:] = [opener]
        _opened.clear()


def opened() -> Services:
    """Return the door of the process's application, which is opened on first use and kept for the life of the process."""
    if not _openers:
        importlib.import_module(_APPLICATION)
    with _lock:
        if not _opened:
            _opened.append(_openers[0]())
        return _opened[0].services


@overload
def client(name: str) -> AsyncClient: ...
@overload
def client(name: str, *, sync: Literal[False]) -> AsyncClient: ...
@overload
def client(name: str, *, sync: Literal[True]) -> Client: ...
def client(name: str, *, sync: bool = False) -> AsyncClient | Client:
    """Return a new ``httpx.AsyncClient`` for a service, with breaker, retry, timeout and tracking, for any script.

    Use it so, or with ``sync=True`` as an ``httpx.Client`` without ``async`` and ``await``::

        async with services.client("tmdb") as http:
            print((await http.get("/movie/603")).json())

    It is the caller's to close, which closes nothing of another's, though the clients of one event loop share connections.
    Opens the application on first use, with the settings of the current directory and the environment, and keeps it for
    the life of the process. Raises :class:`ConfigurationError` for an unknown service; requests raise
    :class:`ServiceError`, which ``except httpx.HTTPError`` catches too.
    """
    return opened().sync_client(name) if sync else opened().http_client(name)
