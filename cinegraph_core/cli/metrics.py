"""``cinegraph metrics``: the record of every call."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from cinegraph_core.cli.door_figures import known_services
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.opening import opened_database
from cinegraph_core.cli.output import print_json
from cinegraph_core.cli.tables import print_table
from cinegraph_core.storage.metrics import summary as summarise

_COLUMNS = ("source", "calls", "ok", "success_rate", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "status")


@click.group()
def metrics() -> None:
    """Read the record of every call."""


@metrics.command()
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=24.0, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help='Print {"sources": [...]}.')
def summary(hours: float, as_json: bool) -> None:
    """Show, for each service, how many calls it answered properly and how fast."""
    settings = begin()
    since = datetime.fromtimestamp(time.time() - hours * 3600, UTC)
    services = known_services(settings).names()
    with opened_database(settings) as database, database.reading() as session:
        sources = summarise(session, since, sources=services)
    if as_json:
        print_json({"sources": sources})
        return
    print_table(
        titled(f"Calls of the last {hours:g} hours", settings),
        ("source", "calls", "ok", "success", "avg ms", "p50", "p95", "p99", "status"),
        ([_shown(name, row[name]) for name in _COLUMNS] for row in sources),
        right=("calls", "ok", "success", "avg ms", "p50", "p95", "p99"),
        whole=("status",),
    )


def _shown(name: str, value: object) -> object:
    if not isinstance(value, float):
        return value
    return f"{value:.1%}" if name == "success_rate" else f"{value:.0f}"
