"""IMDb's event pages: every festival's nominations of one edition on one page, in both layouts (until 2023, since 2024)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cinegraph_core import EditionPlan, PageRequest, ServiceSpec, Source, UsageError, hookimpl
from cinegraph_festivals.aliases import VENICE_ALIASES
from cinegraph_festivals.arguments import check_arguments, requested_years
from cinegraph_festivals.imdb.access import judge
from cinegraph_festivals.imdb.event import read_event

FESTIVALS: Mapping[str, tuple[str, str]] = {
    "ev0000681": ("venice", "Venice Film Festival"),
    "ev0000147": ("cannes", "Cannes Film Festival"),
    "ev0000091": ("berlin", "Berlin International Film Festival"),
    "ev0000400": ("locarno", "Locarno International Film Festival"),
    "ev0000003": ("oscars", "Academy Awards, USA"),
}
"""Event ids known by name; any other event is stored under its id, with the name its page gives."""

ARGUMENTS: Mapping[str, str] = {
    "event": "IMDb's event id, e.g. event=ev0000681 (Venice)",
    "year": "one edition, e.g. year=2023",
    "years": "several editions, e.g. years=2019-2024",
    "instance": "which edition of that year, where a year had two (default 1)",
    "missing": "missing=true fetches only what is not stored yet",
    "list": "an IMDb list (not yet available)",
}
_FIRST_YEAR = 1927


@hookimpl
def service() -> Iterator[ServiceSpec]:
    """Register IMDb's pages and its GraphQL interface."""
    yield ServiceSpec(name="imdb", base_url="https://www.imdb.com", kind="site", judge=judge)
    yield ServiceSpec(name="imdb_graphql", base_url="https://api.graphql.imdb.com")


@hookimpl
def source() -> Source:
    """Register IMDb's events as a source of its own."""
    return Source(
        name="imdb",
        spider="cinegraph_spiders.imdb:ImdbSpider",
        plan=plan,
        read=read_event,
        arguments=ARGUMENTS,
        festivals=dict(FESTIVALS.values()),
        services=("imdb",),
        aliases=VENICE_ALIASES,
    )


def plan(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    """Yield one edition per year; raises :class:`UsageError` for a wrong argument."""
    check_arguments("imdb", arguments, ARGUMENTS)
    if arguments.get("list"):
        raise UsageError("imdb: lists cannot be read yet; what works now is event=ev0000681 with year=2023 or years=2019-2024")
    event = _event_id(arguments)
    instance = _instance(arguments)
    festival, _ = FESTIVALS.get(event, (event, ""))
    for year in requested_years("imdb", arguments, first=_FIRST_YEAR):
        page = event_page(event, year, festival=festival, instance=instance)
        yield EditionPlan(festival=festival, year=year, pages=(page,), instance=instance)


def event_page(event: str, year: int, *, festival: str, instance: int = 1) -> PageRequest:
    """Return the request for an event page, ``/event/{event}/{year}/{instance}/``; a year without an edition has none."""
    return PageRequest(
        service="imdb",
        path=f"/event/{event}/{year}/{instance}/",
        operation="fetch_event",
        statement="imdb_event",
        context={"event": event, "year": year, "instance": instance, "festival": festival},
        required=False,
    )


def _event_id(arguments: Mapping[str, str]) -> str:
    event = arguments.get("event", "").strip().lower()
    if not re.fullmatch(r"ev\d{7}", event):
        known = ", ".join(f"{number} ({key})" for number, (key, _) in FESTIVALS.items())
        given = f"event={event} is not an event id" if event else "an event id is missing"
        raise UsageError(f"imdb: {given}; write event=ev and seven digits, e.g. {known}")
    return event


def _instance(arguments: Mapping[str, str]) -> int:
    text = arguments.get("instance", "").strip() or "1"
    if not re.fullmatch(r"[1-9]", text):
        raise UsageError(f"imdb: instance={text} is not a number from 1 to 9; leave it out for a year's only edition")
    return int(text)
