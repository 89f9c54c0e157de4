"""``cinegraph costs``: what the day has cost so far."""

from __future__ import annotations

import click

from cinegraph_core.cli.door_figures import known_services, read_figures
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.opening import opened_database
from cinegraph_core.cli.output import print_json
from cinegraph_core.cli.tables import print_table
from cinegraph_core.clock import SystemClock
from cinegraph_core.services.overview import costs as costs_of

_REMEDY = "set CINEGRAPH_SERVICES__<NAME>__DAILY_BUDGET_USD and a price (…__PRICE_PER_CALL_USD, or those of tokens)"


@click.command()
@click.option("--json", "as_json", is_flag=True, help='Print {"costs": [...]}.')
def costs(as_json: bool) -> None:
    """Show what was spent today of each budget, what is reserved, and what the day will have cost at this pace."""
    settings = begin()
    router, now = known_services(settings), SystemClock().now()
    with opened_database(settings) as database, database.reading() as session:
        known = read_figures(session, now)
    found = costs_of([router.spec(name) for name in router.names()], settings.daily_budget_usd, known, now)
    if as_json:
        print_json({"costs": found})
        return
    if not found:
        click.echo(f"no service has a budget and a price; {_REMEDY}")
        return
    figures = ("spent_usd", "reserved_usd", "budget_usd", "forecast_usd")
    print_table(
        titled("Costs of today, in dollars", settings),
        ("service", "spent", "reserved", "budget", "forecast"),
        ([one["service"], *(f"{one[name]:.2f}" for name in figures)] for one in found),
        right=("spent", "reserved", "budget", "forecast"),
    )
