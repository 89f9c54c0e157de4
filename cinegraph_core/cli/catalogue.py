"""``cinegraph catalogue``: the local list of every film's title, which saves searches and forgives typos."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cinegraph_core.application import Application
from cinegraph_core.cli.mode import begin, titled
from cinegraph_core.cli.output import print_json, say
from cinegraph_core.cli.progress import progress
from cinegraph_core.cli.running import run
from cinegraph_core.cli.tables import print_table
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Answer, Call
from cinegraph_core.endings import DONE, NOTHING_TO_DO
from cinegraph_core.errors import ConfigurationError, UsageError
from cinegraph_core.matching.catalogue import TitleIndex, load_catalogue
from cinegraph_core.matching.catalogue.engines import DEFAULT_ENGINE, ENGINES, engine_named
from cinegraph_core.matching.catalogue.file import About, read_about, size_of
from cinegraph_core.settings import Settings

SERVICE = "tmdb_files"
"""The service that brings lists of film ids."""
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def catalogue() -> None:
    """Keep a local list of every film on TMDb.

    It is a file of its own beside the database. With it, most films are found by a single request, and misspelt titles are
    found at all. TMDb publishes a new list every day: http://files.tmdb.org/p/exports/movie_ids_MM_DD_YYYY.json.gz
    """


@catalogue.command()
@click.argument("source", metavar="FILE|URL")
@click.option("--engine", type=click.Choice(list(ENGINES)), help="What finds misspelt titles; default: as before, else fts5.")
@_JSON
def load(source: str, engine: str | None, as_json: bool) -> None:
    """Load TMDb's list of film ids, FILE|URL, in place of an older one; if that fails, the older one stays."""
    settings = begin()
    engine = engine or _engine_of(settings.catalogue_path)
    engine_named(engine)  # a missing engine is reported before anything is fetched
    # Whatever looks like an address is taken for one, so that a misspelt address is not taken for a file.
    given: Path | bytes = run(_fetched(settings, source)) if "://" in source else _file(source)
    say(f"loading {source} into {settings.catalogue_path}")
    now = SystemClock().now()
    with progress("reading ten thousands of films", None) as advance:
        about = load_catalogue(given, source, settings.catalogue_path, now=now, engine=engine, advance=advance)
    _tell(settings, about, as_json=as_json)


@catalogue.command()
@_JSON
def status(as_json: bool) -> int:
    """Show what the local catalogue holds; exit code 3 if none is loaded."""
    settings = begin()
    about = _about(settings.catalogue_path)
    if about is None:
        if as_json:
            print_json({"catalogue": None})
        say(f"no catalogue is loaded ({settings.catalogue_path}); load one: cinegraph catalogue load FILE|URL")
        return NOTHING_TO_DO
    _tell(settings, about, as_json=as_json)
    return DONE


def _engine_of(path: Path) -> str:
    try:
        return read_about(path).engine
    except sqlite3.Error:
        return DEFAULT_ENGINE


def _about(path: Path) -> About | None:
    if not path.exists():
        return None
    try:
        return read_about(path)
    except sqlite3.Error as error:
        raise UsageError(f"{path} is no catalogue ({error}); load one in its place, or mend CINEGRAPH_CATALOGUE") from error


def _file(source: str) -> Path:
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"there is no file {source}; give a file, or an address that begins with http:// or https://")
    return path


async def _fetched(settings: Settings, url: str) -> bytes:
    """Fetch the list through the door; raises :class:`UsageError` for an address that is not the service's."""
    async with Application.open(settings) as application:
        services = application.services
        try:
            services.join(SERVICE, url)
        except ValueError as error:
            remedy = f"give one under {services.spec(SERVICE).base_url}, or load a file"
            raise UsageError(f"{error}, the only place that lists of film ids are fetched from; {remedy}") from error
        say(f"fetching {url}; that takes a minute")
        answer: Answer = await services.client(SERVICE).get(url, call=Call(SERVICE, "fetch_export", urlsplit(url).path))
        return answer.body


def _tell(settings: Settings, about: About, *, as_json: bool) -> None:
    path = settings.catalogue_path
    hindrance = _hindrance(path)
    facts: dict[str, Any] = {
        **{name: value for name, value in asdict(about).items() if name not in ("fingerprint", "folder")},
        "file": str(path),
        "bytes": size_of(path, about),
        "usable": hindrance is None,
    }
    if as_json:
        print_json({"catalogue": facts})
    else:
        columns = ("films", "loaded", "from", "engine", "file", "MB")
        row = (about.films, about.loaded_at, about.source, about.engine, path, round(facts["bytes"] / 1e6))
        print_table(titled("Local catalogue", settings), columns, [row], right=("films", "MB"))
    if hindrance is not None:
        say(f"it is not used: {hindrance}")


def _hindrance(path: Path) -> ConfigurationError | None:
    """Return why a catalogue cannot be used, by opening it as matching does."""
    try:
        TitleIndex(path).close()
    except ConfigurationError as error:
        return error
    return None
