"""``cinegraph plugins``: what is installed and how it fares."""

from __future__ import annotations

import click

from cinegraph_core.cli.output import print_json
from cinegraph_core.cli.tables import print_table
from cinegraph_core.plugins import PluginInfo, load_plugins
from cinegraph_core.settings import load_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help='Print {"plugins": [...]}.')
def plugins(as_json: bool) -> None:
    """List the installed plugins: name, version, distribution, kinds and status."""
    infos = load_plugins(blocked=load_settings().disable_plugins).infos()
    if as_json:
        print_json({"plugins": [_row(info) for info in infos]})
        return
    print_table(
        f"Plugins ({len(infos)})",
        ("name", "version", "distribution", "kinds", "status"),
        ((info.name, info.version, info.distribution, ", ".join(info.kinds), info.status) for info in infos),
    )
    for info in infos:
        if info.reason:
            click.echo(f"{info.name} is {info.status}: {info.reason}")


def _row(info: PluginInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "version": info.version,
        "distribution": info.distribution,
        "kinds": list(info.kinds),
        "status": info.status,
        "reason": info.reason,
    }
