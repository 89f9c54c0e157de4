"""``cinegraph services check``: how the services do, asked for where traffic does not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

import click

from cinegraph_core.application import Application
from cinegraph_core.cli.door_figures import check_names, own_specs
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.output import print_json
from cinegraph_core.cli.results import Results
from cinegraph_core.cli.running import run
from cinegraph_core.cli.tables import print_table
from cinegraph_core.services.health import INTERVAL, Checked, HealthChecker
from cinegraph_core.services.standing import as_document
from cinegraph_core.settings import Settings

COLUMNS = ("service", "status", "reason")
_WORST = ("down", "unknown", "degraded", "healthy")


def print_health(services: Sequence[Mapping[str, Any]], settings: Settings) -> None:
    """Print how the services do, worst first, and below it the patterns of harm in their traffic."""
    worst = sorted(services, key=lambda one: _WORST.index(one["health"]["status"]))
    rows = ((one["name"], one["health"]["status"], one["health"]["reason"]) for one in worst)
    print_table(titled("Health", settings), COLUMNS, rows)
    for one in services:
        for pattern in one["patterns"]:
            click.echo(f"▲ {one['name']}: {pattern['message']}, since {pattern['since']}")


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--watch", is_flag=True, help=f"Look again every {INTERVAL:g} seconds until Ctrl-C; with --json one line each time."
)
@click.option("--json", "as_json", is_flag=True, help='Print {"checked": [...], "requests", "cost_usd"}.')
def check(names: tuple[str, ...], watch: bool, as_json: bool) -> None:
    """Look how all services do, or only NAME...; asks each once, on record, whose traffic is too little or of a refused key."""
    settings = begin()
    check_names(settings, *names)
    run(_check(settings, names, watch=watch, as_json=as_json))


async def _check(settings: Settings, names: tuple[str, ...], *, watch: bool, as_json: bool) -> None:
    async with Application.open(settings) as application:
        for spec in own_specs(settings):
            application.services.adopt(spec)
        checker = HealthChecker(application.services, application.database)
        if not watch:
            _tell(await checker.check(*names), settings, as_json=as_json, line=False)
            return
        async with aclosing(checker.watch(*names)) as looks:
            async for found in looks:
                _tell(found, settings, as_json=as_json, line=True)


def _tell(found: Sequence[Checked], settings: Settings, *, as_json: bool, line: bool) -> None:
    requests, cost = sum(one.requests for one in found), sum(one.cost_usd for one in found)
    if as_json:
        checked = [
            {"service": one.service, **as_document(one.health), "requests": one.requests, "cost_usd": round(one.cost_usd, 6)}
            for one in found
        ]
        document = {"checked": checked, "requests": requests, "cost_usd": round(cost, 6)}
        if line:
            Results().write(document)
        else:
            print_json(document)
        return
    print_table(titled("Health", settings), COLUMNS, ((one.service, one.health.status, one.health.reason) for one in found))
    click.echo(f"requests sent: {requests}, cost: ${cost:.4f}")
