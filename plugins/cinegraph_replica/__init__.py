"""Mock mode: a replica of every service, over a bundled catalogue of real festival films, with faults on demand.

Every run imports this module, so it loads the server only when mock mode needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cinegraph_core import Replica, hookimpl

SERVICES = ("tmdb", "omdb", "venice", "imdb", "imdb_graphql", "tmdb_files")


def start() -> Mapping[str, str]:
    """Serve on a free loopback port from a daemon thread, once per process; return base URLs by service."""
    from cinegraph_replica.server import start_once  # noqa: PLC0415  # the web server stays unloaded in real mode

    return start_once()


def serve(port: int, faults: Sequence[str]) -> None:
    """Serve on ``port`` of the loopback interface until interrupted; ``faults`` look like ``tmdb=429:0.2``."""
    from cinegraph_replica.server import serve_forever  # noqa: PLC0415  # as above

    serve_forever(port, faults)


@hookimpl
def replica() -> Iterator[Replica]:
    """Register the bundled replica."""
    yield Replica(name="replica", services=SERVICES, start=start, serve=serve)
