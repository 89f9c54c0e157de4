"""``cinegraph replica``: stand-ins for the outside services."""

from __future__ import annotations

import click

from cinegraph_core.errors import PluginError
from cinegraph_core.plugins import load_plugins
from cinegraph_core.settings import load_settings


@click.group()
def replica() -> None:
    """Serve stand-ins for the outside services."""


@replica.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--fault", "faults", multiple=True, metavar="SERVICE=KIND[:RATE]", help="Let calls fail, e.g. tmdb=429:0.2.")
@click.option("--name", help="Which replica, where several are installed.")
def serve(port: int, faults: tuple[str, ...], name: str | None) -> None:
    """Serve a replica in the foreground until Ctrl-C.

    \b
    Examples:
      cinegraph replica serve --port 8000
      cinegraph replica serve --fault tmdb=429:0.2 --fault imdb=waf
    """  # noqa: D301 - click reads the backspace
    replicas = load_plugins(blocked=load_settings().disable_plugins).replicas()
    servable = {one.name: one for one in replicas.values() if one.serve is not None}
    chosen = servable.get(name or next(iter(servable), ""))
    if chosen is None or chosen.serve is None:
        known = f"there is: {', '.join(servable)}" if servable else "none is active; see `cinegraph plugins`"
        raise PluginError(f"no replica {name!r} that can be served; {known}" if name else f"no replica can be served: {known}")
    chosen.serve(port, faults)
