"""Which films wait for an answer, and what their last try came to; nobody is asked for that."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from cinegraph_core.cli.mode import titled
from cinegraph_core.cli.opening import opened_database
from cinegraph_core.cli.output import print_json, say
from cinegraph_core.cli.tables import print_table
from cinegraph_core.endings import DONE
from cinegraph_core.settings import Settings
from cinegraph_core.storage.films import WaitingFilm, waiting_films

_COLUMNS = ("film", "title", "status", "why")


def list_waiting(settings: Settings, *, as_json: bool) -> int:
    """Print every stored film that waits; that is a success, also where none does."""
    with opened_database(settings) as database, database.reading() as session:
        films = waiting_films(session, now=time.time())
    if as_json:
        print_json({"waiting": [_document(film) for film in films]})
    elif films:
        rows = [(film.film, film.title, film.status, film.error_message or film.error_type or "") for film in films]
        print_table(titled("Films that wait for an answer", settings), _COLUMNS, rows, right=("film",))
        say("→ cinegraph match --pending asks for them")
    else:
        say("no stored film waits for an answer")
    return DONE


def _document(film: WaitingFilm) -> dict[str, Any]:
    """Return a film as programs read it; ``retry_at`` is in ISO 8601, or ``null`` where nobody says when to ask again."""
    return asdict(film) | {"retry_at": film.retry_at.isoformat() if film.retry_at else None}
