"""``cinegraph services``: how each service does, what it may still be asked, and its breaker, mode, quota and cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, get_args

import click

from cinegraph_core.actions import Change, clear_cache, open_breaker, reset_breaker, reset_mode, reset_quota, set_mode, set_quota
from cinegraph_core.cli.door_figures import check_names, known_services, read_figures
from cinegraph_core.cli.durations import seconds_of
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.opening import opened_database
from cinegraph_core.cli.output import print_json
from cinegraph_core.cli.services_check import check, print_health
from cinegraph_core.cli.tables import print_table
from cinegraph_core.clock import SystemClock
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.records import Mode
from cinegraph_core.services.overview import overview
from cinegraph_core.services.standing import described, read_standing
from cinegraph_core.settings import Settings

_NAME = click.argument("name", metavar="NAME")
_JSON = click.option("--json", "as_json", is_flag=True, help='Print {"service", "what", "who", "before", "after"}.')
_CALLS = click.IntRange(0, 10**15)
"""No provider gives more, and the database can count it."""


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help='Print {"services": [...]}.')
@click.pass_context
def services(context: click.Context, as_json: bool) -> None:
    """Show health, mode, breaker, quota, budget and cache of each service, as all processes on this database see them."""
    if context.invoked_subcommand is not None:
        return
    settings = begin()
    router, now = known_services(settings), SystemClock().now()
    with opened_database(settings) as database, database.reading() as session:
        known, standing = read_figures(session, now), read_standing(session, now)
    specs = [router.spec(name) for name in router.names()]
    found = [overview(spec, router.mode(spec.name), known, standing) | described(spec, standing) for spec in specs]
    if as_json:
        print_json({"services": found})
        return
    print_health(found, settings)
    print_table(
        titled("Services", settings),
        ("service", "mode", "breaker", "quota used", "budget spent", "cache"),
        ((one["name"], one["mode"], one["breaker"]["state"], _quota(one), _budget(one), _cache(one["cache"])) for one in found),
    )
    for line in _switched(found):
        click.echo(line)


services.add_command(check)


@services.group()
def breaker() -> None:
    """Act on the breaker of a service."""


@breaker.command()
@_NAME
@_JSON
def reset(name: str, as_json: bool) -> None:
    """Close the breaker of the service NAME and ask it at once, whatever it asked for, in every process; leaves an audit row."""
    settings = _settings_of(name)
    _check_not_held(settings, name)
    _act(settings, name, "breaker", reset_breaker, as_json=as_json)


@breaker.command("open")
@_NAME
@_JSON
def open_(name: str, as_json: bool) -> None:
    """Refuse every call to the service NAME in every process, within a second and until it is reset; leaves an audit row."""
    _act(_settings_of(name), name, "breaker", open_breaker, as_json=as_json)


@services.group()
def mode() -> None:
    """Switch the mode of a service for a time."""


@mode.command("set")
@_NAME
@click.argument("wanted", metavar="MODE", type=click.Choice(get_args(Mode)))
@click.option(
    "--for", "seconds", callback=seconds_of, metavar="TIME", help="How long: 90s, 30m, 2h, 1d; without it until it is reset."
)
@_JSON
def set_mode_(name: str, wanted: Mode, seconds: float | None, as_json: bool) -> None:
    """Switch the service NAME to mock, real or hybrid in every process within a second; leaves an audit row."""
    settings = _settings_of(name)
    known_services(settings).check_mode(name, wanted)
    _act(settings, name, "mode", partial(set_mode, mode=wanted, seconds=seconds), as_json=as_json)


@mode.command("reset")
@_NAME
@_JSON
def reset_mode_(name: str, as_json: bool) -> None:
    """Let the settings say the mode of the service NAME again, in every process within a second; leaves an audit row."""
    _act(_settings_of(name), name, "mode", reset_mode, as_json=as_json)


@services.group()
def quota() -> None:
    """Act on the quotas of a service."""


@quota.command("set")
@_NAME
@click.option("--daily", type=_CALLS, metavar="N", help="Requests per calendar day.")
@click.option("--hourly", type=_CALLS, metavar="N", help="Requests per calendar hour.")
@_JSON
def set_(name: str, daily: int | None, hourly: int | None, as_json: bool) -> None:
    """Give the service NAME other quotas than the settings do, in every process within a second; leaves an audit row."""
    if daily is None and hourly is None:
        raise click.UsageError("say which quota: --daily N or --hourly N")
    _act(_settings_of(name), name, "quota", partial(set_quota, daily=daily, hourly=hourly), as_json=as_json)


@quota.command("reset")
@_NAME
@_JSON
def reset_quota_(name: str, as_json: bool) -> None:
    """Forget in every process within a second what the service NAME said of its own quota; leaves an audit row."""
    _act(_settings_of(name), name, "quota", reset_quota, as_json=as_json)


@services.group()
def cache() -> None:
    """Act on the cache of a service."""


@cache.command()
@_NAME
@click.option("--prefix", metavar="PATH", help="Only answers whose path begins with this, such as /movie/603.")
@click.option("--tag", metavar="TAG", help="Only answers about this, such as film:603 or venice-2024.")
@_JSON
def clear(name: str, prefix: str | None, tag: str | None, as_json: bool) -> None:
    """Forget the kept answers of the service NAME in every process within a second; leaves an audit row."""
    for option, value, example in (("--prefix", prefix, "/movie/603"), ("--tag", tag, "film:603")):
        if value == "":  # an empty variable of the shell, rather than a wish
            raise click.UsageError(f"{option} is empty: say what, such as {option} {example}, or leave {option} out to clear all")
    _act(_settings_of(name), name, "cache", partial(clear_cache, prefix=prefix or "", tag=tag or ""), as_json=as_json)


def _settings_of(name: str) -> Settings:
    """Return the settings; raises :class:`UsageError` naming the nearest for a service nobody brought."""
    settings = begin()
    check_names(settings, name)
    return settings


def _check_not_held(settings: Settings, name: str) -> None:
    """Raise :class:`ConfigurationError` if the settings keep the breaker of a service open, whatever a person says."""
    if known_services(settings).spec(name).breaker_mode == "open":
        setting = f"CINEGRAPH_SERVICES__{name.upper()}__BREAKER_MODE"
        remedy = f"take the setting back, or set it to auto, then: cinegraph services breaker reset {name}"
        raise ConfigurationError(f"{setting}=open keeps the breaker of {name} open: {remedy}")


def _act(settings: Settings, name: str, what: str, action: Callable[..., Change], *, as_json: bool) -> None:
    """Do something to a service, and tell what changed."""
    with opened_database(settings) as database:
        change = action(database, name, clock=SystemClock())
    if as_json:
        print_json({"service": name, "what": what} | asdict(change))
        return
    before, after = (", ".join(_parts(one)) for one in (change.before, change.after))
    click.echo(f"{what} of {name}: {before} → {after}, by {change.who}")


def _parts(side: Mapping[str, Any]) -> Iterator[str]:
    for name, value in side.items():
        if value is not None or name != "until":
            yield f"{name} {'as set' if value is None else value}"


def _switched(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in found:
        if one["until"] is not None or one["mode"] != one["configured_mode"]:
            until = one["until"] or "it is reset"
            yield f"{one['name']} is switched to {one['mode']} until {until}; the settings say {one['configured_mode']}"


def _quota(one: Mapping[str, Any]) -> str | None:
    if one["quota"] is None:
        return None
    parts = (f"{name} {q['used'] + q['reserved']}/{q['limit']} {q['status']}" for name, q in one["quota"].items())
    return ", ".join(parts)


def _budget(one: Mapping[str, Any]) -> str | None:
    budget = one["budget"]
    return None if budget is None else f"${budget['spent_usd']:.2f} of ${budget['budget_usd']:.2f}"


def _cache(cache: Mapping[str, Any]) -> str:
    if not cache["ttl"]:
        return "off"
    return f"{cache['ttl']:g} s, {cache['entries']} kept, {cache['hits']} hits"
