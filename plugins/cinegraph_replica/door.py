"""The way into the replica: every request is counted and may be struck by a fault before a service answers."""

from __future__ import annotations

import re
from time import perf_counter

from starlette.applications import Starlette
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from cinegraph_replica import effects
from cinegraph_replica.faults import Board

_CONVERTER = re.compile(r":\w+(?=\})")


class Door:
    """An ASGI application around the services.

    A request is counted under its service (the first part of its path) and its route as soon as its head has been read,
    so that the counts hold whether or not the client waits for the answer. Paths that begin with ``/__`` steer the
    replica itself: never counted, never struck.
    """

    def __init__(self, app: Starlette, board: Board) -> None:
        self._app = app
        self._board = board

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path: str = scope["path"]
        if path.startswith("/__"):
            await self._app(scope, receive, send)
            return
        fault = self._board.admit(path.split("/")[1], self._route(scope), path)
        started = perf_counter()
        try:
            await effects.answer(fault, self._app, scope, receive, send)
        finally:
            self._board.times.append(perf_counter() - started)

    def _route(self, scope: Scope) -> str:
        """Return the pattern of the request's route (``/tmdb/3/movie/{film_id}``), or its path where there is none."""
        for route in self._app.routes:
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
                return _CONVERTER.sub("", route.path)
        return str(scope["path"])
