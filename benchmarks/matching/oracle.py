"""What stands between us and every film: ``oracle.py --shared ../shared --replica URL --cache DIR``.

Each experiment gives the matcher one thing that the catalogue or the search lacks, for the right film only or for all, and
leaves everything else alone: that the search had found the film, that the catalogue knew the printed title, the directors,
the year. The difference to the first line is what that signal is worth. The last line takes the right film away instead.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fit import Case, scored
from peers import HEADS
from recorded import Recording, gathered, pools, recording
from sets import dev_set, markdown_table

from cinegraph_core.matching.weights import weights
from cinegraph_core.records import Candidate
from cinegraph_tmdb.wire import Details, reader

Gift = Callable[[Case, Candidate], Candidate]
_APPENDED = "credits,alternative_titles,translations,external_ids,release_dates"
_SOMEBODY_ELSE = ("Nobody Asked For",)


def title_known(case: Case, film: Candidate) -> Candidate:
    return replace(film, titles=(*film.titles, case.labelled.query.title)) if film.tmdb_id in case.labelled.good else film


def directors_known(case: Case, film: Candidate) -> Candidate:
    """Give the right film the director asked for, and a namesake without directors another one."""
    if film.tmdb_id in case.labelled.good:
        return replace(film, directors=case.labelled.query.directors or film.directors)
    return film if film.directors else replace(film, directors=_SOMEBODY_ELSE)


def year_known(case: Case, film: Candidate) -> Candidate:
    right = film.tmdb_id in case.labelled.good
    return replace(film, year=case.labelled.query.year) if right and not case.labelled.query.festival else film


def given(case: Case, *gifts: Gift) -> Case:
    pool = case.pool
    for gift in gifts:
        pool = tuple(gift(case, film) for film in pool)
    return replace(case, pool=pool)


def taken_away(case: Case) -> Case:
    """Return the lookup as if the catalogue lacked its film: whatever is matched is wrong."""
    pool = tuple(film for film in case.pool if film.tmdb_id not in case.labelled.good)
    return Case(replace(case.labelled, good=frozenset()), pool)


async def with_right_film(opened: Recording, case: Case) -> Case:
    """Return the lookup with the right film's full record among the candidates."""
    if not case.labelled.good:
        return case
    right = min(case.labelled.good)
    answer = await opened.ask(f"/movie/{right}", {"append_to_response": _APPENDED})
    if answer.status != 200:
        return case
    others = tuple(film for film in case.pool if film.tmdb_id != right)
    return replace(case, pool=(*others, reader(Details)(answer).candidate()))


async def experiments(replica: str, cache: Path, shared: Path) -> list[list[str]]:
    dev = dev_set(shared)
    async with recording(cache / f"{replica.rsplit(':', 1)[-1]}.pickle", replica) as opened:
        found = await pools(opened, (one.query for one in dev))
        plain = [Case(one, pool) for one, pool in zip(dev, found, strict=True)]
        full = await gathered(with_right_film(opened, case) for case in plain)
    tried = {
        "as it is": plain,
        "the right film among the candidates, with its details": full,
        "… and the printed title on record": [given(case, title_known) for case in full],
        "… and every director on record": [given(case, directors_known) for case in full],
        "… and the year on record the one printed": [given(case, year_known) for case in full],
        "… and title and directors": [given(case, title_known, directors_known) for case in full],
        "… and all three": [given(case, title_known, directors_known, year_known) for case in full],
        "the right film taken away from every lookup": [taken_away(case) for case in plain if case.labelled.good],
    }
    return [[name, *scored(cases, weights()).cells()[:4]] for name, cases in tried.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--replica", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    args = parser.parse_args()
    print(markdown_table(HEADS[:5], asyncio.run(experiments(args.replica, args.cache, args.shared))))


if __name__ == "__main__":
    main()
