"""``cinegraph review``: films that need a human eye."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from cinegraph_core.actions import Change, accept_match, reject_match
from cinegraph_core.application import Application
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.opening import opened_database
from cinegraph_core.cli.output import print_json, say
from cinegraph_core.cli.tables import print_table
from cinegraph_core.clock import SystemClock
from cinegraph_core.errors import ServiceError, UsageError
from cinegraph_core.settings import Settings
from cinegraph_core.storage.review import STATUSES, is_known_here, list_reviews, show_review
from cinegraph_core.storage.stamp import is_fake

_TITLES = {"review": "To review", "not_found": "Not found"}
_SLIP = "; if that was a slip, accept the right one now"
_NOT_TMDB = "only its replica or an answer past its time could be had"
_FILM = click.argument("film_id", metavar="ID", type=click.IntRange(min=1))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def review() -> None:
    """Decide about films that need a human eye."""


@review.command("list")
@click.option("--status", type=click.Choice(STATUSES), default="review", help="List the films that TMDb does not have instead.")
@click.option("--json", "as_json", is_flag=True, help='Print {"review": [...]}.')
def list_(status: str, as_json: bool) -> None:
    """List the films that wait for a decision, each with its candidates."""
    settings = begin()
    with opened_database(settings) as database, database.reading() as session:
        waiting = list_reviews(session, status)
    if as_json:
        print_json({"review": waiting})
        return
    print_table(
        titled(f"{_TITLES[status]} ({len(waiting)})", settings),
        ("ID", "film", "year", "directors", "reason", "likeliest on TMDb"),
        (
            (film["id"], film["title"], film["year"], ", ".join(film["directors"]), _reason(film), _likeliest(film))
            for film in waiting
        ),
        right=("ID",),
    )
    if waiting:
        say("cinegraph review show ID shows the candidates; decide with review accept ID --tmdb N, or review reject ID")


@review.command()
@_FILM
@_JSON
def show(film_id: int, as_json: bool) -> None:
    """Show the film ID with its candidates and why each was scored as it was."""
    settings = begin()
    with opened_database(settings) as database, database.reading() as session:
        film = show_review(session, film_id)
    if as_json:
        print_json(film)
    else:
        _print_film(film, settings)


@review.command()
@_FILM
@click.option("--tmdb", "tmdb_id", type=click.IntRange(min=1), required=True, metavar="N", help="The film's TMDb id.")
@click.option("--merge", is_flag=True, help="If another film has N and looks different: the two are one all the same.")
@_JSON
def accept(film_id: int, tmdb_id: int, merge: bool, as_json: bool) -> None:
    """Decide that the film ID is TMDb's film N, for good; leaves an audit row."""
    settings = begin()
    with opened_database(settings) as database:
        with database.reading() as session:
            is_known = is_known_here(session, film_id, tmdb_id)
        if not is_known:
            say(asyncio.run(_told_of(settings, tmdb_id)))
        change = accept_match(database, film_id, tmdb_id, clock=SystemClock(), merge=merge)
    if not change.after["was_candidate"]:
        say(f"TMDb {tmdb_id} was not among the candidates" + ("" if change.after["merged"] else _SLIP))
    _tell(change, as_json=as_json)


async def _told_of(settings: Settings, tmdb_id: int) -> str:
    """Return what TMDb says a film is; raises :class:`UsageError` if it has none of this id.

    A replica that answered in TMDb's place knows a few films only: what it says of live data is no answer.
    """
    try:
        async with Application.open(settings) as application:
            film, provenance = await application.cascade.film(tmdb_id)
    except ServiceError as error:
        return _unasked(tmdb_id, error)
    if is_fake(provenance, settings.mode) and (film is None or provenance != "stale"):
        return _unasked(tmdb_id, _NOT_TMDB)
    if film is None:
        raise UsageError(f"TMDb has no film {tmdb_id}: check the number")
    return f"TMDb {tmdb_id} is {film.title} ({film.year or '?'}) by {', '.join(film.directors) or 'nobody it names'}"


def _unasked(tmdb_id: int, why: object) -> str:
    return f"TMDb could not be asked whether there is a film {tmdb_id} ({why}); it is taken on your word"


@review.command()
@_FILM
@_JSON
def reject(film_id: int, as_json: bool) -> None:
    """Decide that no candidate is the film ID, for good; leaves an audit row."""
    settings = begin()
    with opened_database(settings) as database:
        _tell(reject_match(database, film_id, clock=SystemClock()), as_json=as_json)


def _tell(change: Change, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(change))
        return
    before, after = (f"{film['status']} (TMDb {film['tmdb_id'] or 'none'})" for film in (change.before, change.after))
    merged = "".join(f", merged with film {twin}" for twin in change.after.get("merged", ()))
    click.echo(f"{change.after['title']}: {before} → {after}{merged}, by {change.who}")


def _print_film(film: Mapping[str, Any], settings: Settings) -> None:
    facts = [film["title"], film["original_title"], film["year"], ", ".join(film["directors"]), film["festival"]]
    print_table(
        titled(f"{film['id']}: {' · '.join(str(fact) for fact in facts if fact)} · {film['status'] or 'pending'}", settings),
        ("TMDb", "title", "original title", "year", "score", "why"),
        (
            (one["tmdb_id"], one["title"], one["original_title"], one["year"], f"{one['score']:.2f}", "; ".join(one["why"]))
            for one in film["candidates"]
        ),
        right=("TMDb", "score"),
    )


def _reason(film: Mapping[str, Any]) -> str | None:
    return f"source changed since {film['decided_by']} decided" if film["source_changed"] else film["reason"]


def _likeliest(film: Mapping[str, Any]) -> str | None:
    if not film["candidates"]:
        return None
    best = film["candidates"][0]
    return f"{best['tmdb_id']} {best['title']} ({best['year'] or '?'}) {best['score']:.2f}"
