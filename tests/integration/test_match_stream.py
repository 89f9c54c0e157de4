"""Many queries at once: order, sharing, and what passes through."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from cinegraph_core.matching import match_stream
from cinegraph_core.matching.stream import IN_FLIGHT
from cinegraph_core.records import FilmQuery, Match
from tests.support.matching import Run, cascade_over, query, streamed
from tests.support.tmdb_server import Film, TmdbServer, serving
from tests.support.waiting import CEILING, within

FILMS = [Film(n, f"Film Number {n}x", 1990 + n % 30, directors=(f"Person {n}",)) for n in range(1, 60)]


def test_answers_keep_the_order_of_the_questions() -> None:
    asked = [query(film.title, film.year, id=str(film.id)) for film in reversed(FILMS)]
    run = streamed(FILMS, asked)
    assert [(match.id, match.tmdb_id) for match in run.matches] == [(str(film.id), film.id) for film in reversed(FILMS)]


def test_a_ready_answer_passes_through_in_its_place() -> None:
    broken = Match(id="", status="error", error_type="client_error", error_message="line 2: it is no JSON")
    run = streamed(FILMS, [query(FILMS[0].title, FILMS[0].year, id="a"), broken, query(FILMS[1].title, FILMS[1].year, id="c")])
    assert [match.id for match in run.matches] == ["a", "", "c"]
    assert run.matches[1] is broken


def test_the_same_question_costs_one_lookup() -> None:
    film = FILMS[0]
    run = streamed(FILMS, [query(film.title, film.year, id=str(n)) for n in range(40)])
    assert [match.id for match in run.matches] == [str(n) for n in range(40)]
    assert {match.tmdb_id for match in run.matches} == {film.id}
    assert [match.api_calls for match in run.matches] == [2] + [0] * 39
    assert len(run.server.asked) == 2


class CountingServer(TmdbServer):
    """Knows how many requests were under way at once."""

    now = most = 0
    lock = threading.Lock()

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, Any]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        within(1.0, lambda: self.most > 1)
        time.sleep(0.01)
        with self.lock:
            self.now -= 1
        return super().answer(path, params)


def test_a_bounded_number_is_in_flight_and_a_reader_who_leaves_stops_the_rest() -> None:
    with serving(CountingServer(FILMS)) as server:
        run = Run(server)

        async def go() -> None:
            async with cascade_over(run) as cascade:
                stream = match_stream(cascade, (query(film.title, film.year, id=str(film.id)) for film in FILMS * 1000))
                run.matches = [await anext(stream) for _ in range(3)]
                await stream.aclose()

        asyncio.run(go())
        assert isinstance(server, CountingServer)
        assert 1 < server.most <= IN_FLIGHT
        assert len(server.asked) < 400


def test_an_answer_does_not_wait_for_the_next_question_and_an_error_is_not_remembered() -> None:
    film = FILMS[0]
    with serving(TmdbServer(FILMS, fail_from=0)) as server:
        run = Run(server)

        async def go() -> None:
            answered = asyncio.Event()

            async def questions() -> AsyncIterator[FilmQuery]:
                yield query(film.title, film.year, id="first")
                await answered.wait()
                server.fail_from = None
                yield query(film.title, film.year, id="second")

            async with cascade_over(run) as cascade:
                async for match in match_stream(cascade, questions()):
                    run.matches.append(match)
                    answered.set()

        asyncio.run(asyncio.wait_for(go(), CEILING * 5))
    assert [match.status for match in run.matches] == ["error", "matched"]


def test_a_reader_of_questions_that_fails_is_heard_after_the_answers() -> None:
    with serving(TmdbServer(FILMS)) as server:
        run = Run(server)

        def questions() -> Iterator[FilmQuery]:
            yield query(FILMS[0].title, FILMS[0].year)
            raise OSError("the disk is gone")

        async def go() -> None:
            async with cascade_over(run) as cascade:
                async for match in match_stream(cascade, questions()):
                    run.matches.append(match)

        with pytest.raises(OSError, match="the disk is gone"):
            asyncio.run(go())
    assert [match.tmdb_id for match in run.matches] == [FILMS[0].id]
