"""``cinegraph config``: every setting, its value and where that came from; secrets masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from pydantic import SecretStr

from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.output import print_json
from cinegraph_core.cli.tables import print_table
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.plugins import Plugins, load_plugins
from cinegraph_core.settings import ServiceSettings, Settings, check_service_names

_OF_SERVICE = "service's default"


@click.group()
def config() -> None:
    """Look into the settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help='Print {"settings": [...]}.')
def show(as_json: bool) -> None:
    """Show every setting, its value and where that came from; secrets are masked."""
    settings = begin()
    plugins = load_plugins(blocked=settings.disable_plugins)
    known = set(plugins.services())
    check_service_names(settings, known, tolerated=set(settings.services) - known if plugins.has_gaps else set())
    rows = [*_plain(settings), *_of_services(settings, plugins)]
    if as_json:
        print_json({"settings": [{"name": name, "value": value, "origin": origin} for name, value, origin in rows]})
        return
    print_table(
        titled("Settings", settings), ("name", "value", "from"), ((name, _text(value), origin) for name, value, origin in rows)
    )


def _plain(settings: Settings) -> Iterator[tuple[str, Any, str]]:
    for name, origin in settings.origins.items():
        if not name.startswith("services."):
            value: Any = settings.masked_database_url if name == "database_url" else settings
            for part in name.split(".") if value is settings else ():
                value = getattr(value, part)
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
            elif (default := _default(specs.get(service), field)) is not None:
                yield name, default, _OF_SERVICE


def _default(spec: ServiceSpec | None, field: str) -> Any:
    return getattr(spec, field, None)


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "********"
    return sorted(value) if isinstance(value, frozenset) else value


def _text(value: Any) -> str | None:
    return ", ".join(value) or None if isinstance(value, list) else value
