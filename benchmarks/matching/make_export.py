"""Makes a list of film ids, such as TMDb publishes daily, from a catalogue that a measurement is run against.

    python benchmarks/matching/make_export.py CATALOGUE.csv.gz EXPORT.json.gz --exclude ABSENT.txt [--distractors N]

The columns ``tmdb_id``, ``title``, ``original_title`` and ``popularity`` are read. ``--exclude`` names a file of ids that the
catalogue shall not hold, one a line. ``--distractors`` adds obscure films, the very ones that the replica adds.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

FIRST_DISTRACTOR = 9_000_000
SEED = 11
Film = tuple[int, str, float]


def films(catalogue: Path, excluded: frozenset[str]) -> Iterator[tuple[Film, str]]:
    """Yield each film as the list has it, with its title in English."""
    with gzip.open(catalogue, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["tmdb_id"] not in excluded:
                listed = int(row["tmdb_id"]), row["original_title"] or row["title"], float(row["popularity"] or 0)
                yield listed, row["title"]


def distractors(titles: list[str], count: int) -> Iterator[Film]:
    """Yield the obscure films that the replica adds, number by number: its own draws, in its order.

    Three in ten bear the title of another film, the others words of two.
    """
    rng = random.Random(SEED)
    copies = rng.choices(titles, weights=[3 if title.count(" ") < 2 else 1 for title in titles], k=count * 3 // 10)
    for number in range(count):
        one, other = rng.choice(titles).split(), rng.choice(titles).split()
        mixed = " ".join(one[: max(1, len(one) // 2)] + other[len(other) // 2 :])
        _pass_over_its_year(rng)
        title = copies[number] if number < len(copies) else mixed
        yield FIRST_DISTRACTOR + number, title, round(rng.lognormvariate(-0.7, 0.8), 3)


def _pass_over_its_year(rng: random.Random) -> None:
    spans = ((2010, 2026), (2010, 2026), (1985, 2010), (1930, 1985))
    rng.choice([rng.randint(*span) for span in spans])
    rng.random()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("export", type=Path)
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("--distractors", type=int, default=0)
    given = parser.parse_args()
    excluded = frozenset(given.exclude.read_text().split()) if given.exclude else frozenset()
    pairs = list(films(given.catalogue, excluded))
    listed = [film for film, _ in pairs]
    listed += distractors([title for _, title in pairs], given.distractors)
    with gzip.open(given.export, "wt", encoding="utf-8") as out:
        for film, title, popularity in listed:
            line = {"adult": False, "id": film, "original_title": title, "popularity": popularity, "video": False}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"{len(listed)} films in {given.export}")


if __name__ == "__main__":
    main()
