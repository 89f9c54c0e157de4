"""``cinegraph config``: every setting, its value and where that came from; secrets masked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import click
from pydantic import SecretStr

from cinegraph_core.application import check_services
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.output import print_json, say
from cinegraph_core.plugins import Plugins, load_plugins
from cinegraph_core.settings import ServiceSettings, Settings

_OF_SERVICE = "service's default"


@click.group()
def config() -> None:
    """Look into the settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help='Print {"settings": [...]}.')
def show(as_json: bool) -> None:
    """Show every setting, its value and where that came from; secrets are masked.

    A setting of a service that nobody has set and that has no default stands in --json only, as null.
    """
    settings = begin()
    plugins = load_plugins(blocked=settings.disable_plugins)
    check_services(settings, plugins)
    rows = [*_plain(settings), *_of_services(settings, plugins)]
    if as_json:
        print_json({"settings": [{"name": name, "value": value, "origin": origin} for name, value, origin in rows]})
        return
    click.echo(titled("Settings", settings))
    for name, value, origin in rows:
        if value is not None or not name.startswith("services."):
            click.echo(f"{name} = {_text(value)}  ({origin})")
    say("settings of a service that have no value are left out here; --json names them too")


def _plain(settings: Settings) -> Iterator[tuple[str, Any, str]]:
    for name, origin in settings.origins.items():
        if not name.startswith("services."):
            value = settings.masked_database_url if name == "database_url" else reduce(getattr, name.split("."), settings)
            yield name, _shown(value), origin


def _of_services(settings: Settings, plugins: Plugins) -> Iterator[tuple[str, Any, str]]:
    """Yield what counts for each service: what was set, else what its plugin says."""
    specs = plugins.services()
    for service in sorted({*specs, *settings.services}):
        for field in ServiceSettings.model_fields:
            name = f"services.{service}.{field}"
            value = getattr(settings.service(service), field)
            if value is not None:
                yield name, _shown(value), settings.origins.get(name, "default")
            else:
                default = getattr(specs.get(service), field, None)
                yield name, default, "default" if default is None else _OF_SERVICE


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "********"
    return sorted(value) if isinstance(value, frozenset) else value


def _text(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else value
    return "–" if text in (None, "") else str(text)
