"""The engines of the local catalogue compared: ``engines.py EXPORT.json.gz --scratch DIR``.

Loads the list of film ids, such as ``make_export.py`` makes, with each engine, then looks up titles of the list as they are and
with one and two slips of the pen. A title counts as found if a film of its normal form is among those returned. Times are of one
question at a time, the way to the thread and back included, in the quickest of some rounds, since others use the machine too.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path

from distort import two_typos, typo
from sets import markdown_table

from cinegraph_core.matching.catalogue import TitleIndex, load_catalogue
from cinegraph_core.matching.catalogue.engines import ENGINES
from cinegraph_core.matching.catalogue.file import read_about, size_of
from cinegraph_core.matching.catalogue.keys import key_of
from cinegraph_core.records import Candidate

HEADS = ("engine", "build s", "MB", "question", "found %", "mean ms", "p95 ms", "max ms")
SEED = 5
Search = Callable[[Sequence[str]], Awaitable[Sequence[Candidate]]]
Asked = list[tuple[str, str]]


def sampled(export: Path, count: int) -> Iterator[str]:
    with gzip.open(export, "rt", encoding="utf-8") as lines:
        titles = [json.loads(line)["original_title"] for line in lines]
    yield from random.Random(SEED).sample(titles, count)


def slipped(titles: Iterable[str], slip: Callable[[str, random.Random], str | None]) -> Asked:
    """Each title with what is asked for instead, where that is another one to the catalogue too."""
    rng = random.Random(SEED)
    pairs = [(title, slip(title, rng)) for title in titles]
    return [(title, other) for title, other in pairs if other and key_of(other) != key_of(title)]


async def asked(search: Search, questions: Asked) -> tuple[float, list[float]]:
    """Return the share of the questions that found their film, and the sorted milliseconds they took."""
    found, times = 0, []
    for title, printed in questions:
        begun = time.perf_counter()
        films = await search([printed])
        times.append(1000 * (time.perf_counter() - begun))
        found += any(key_of(film.title) == key_of(title) for film in films)
    return found / len(questions), sorted(times)


def cells(share: float, times: list[float]) -> list[str]:
    return [f"{100 * share:.1f}", *(f"{one:.2f}" for one in (sum(times) / len(times), times[int(0.95 * len(times))], times[-1]))]


def measured(engine: str, export: Path, scratch: Path, titles: list[str], rounds: int) -> Iterator[list[str]]:
    path = scratch / f"{engine}.db"
    begun = time.perf_counter()
    load_catalogue(export, export.name, path, now=0, engine=engine)
    built, size = time.perf_counter() - begun, size_of(path, read_about(path)) / 1e6
    index = TitleIndex(path)
    same: Asked = [(title, title) for title in titles]
    questions = {
        "title as listed": (index.same_title, same),
        "1 slip": (index.similar, slipped(titles, typo)),
        "2 slips": (index.similar, slipped(titles, two_typos)),
    }
    for name, (search, some) in questions.items():
        share, times = min((asyncio.run(asked(search, some)) for _ in range(rounds)), key=lambda result: sum(result[1]))
        yield [engine, f"{built:.1f}", f"{size:.0f}", name, *cells(share, times)]
    index.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for the catalogues that are made")
    parser.add_argument("--titles", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    given.scratch.mkdir(parents=True, exist_ok=True)
    titles = list(sampled(given.export, given.titles))
    rows = [row for engine in ENGINES for row in measured(engine, given.export, given.scratch, titles, given.rounds)]
    print(markdown_table(HEADS, rows))


if __name__ == "__main__":
    main()
