"""Makes a list of film ids, such as TMDb publishes daily, from a catalogue that a measurement is run against.

    python benchmarks/matching/make_export.py CATALOGUE.csv.gz EXPORT.json.gz --exclude ABSENT.txt [--distractors N]

The columns ``tmdb_id``, ``title``, ``original_title`` and ``popularity`` are read. ``--exclude`` names a file of ids that the
catalogue shall not hold, one a line. ``--distractors`` adds obscure films, some of a title that is taken.
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


def films(catalogue: Path, excluded: frozenset[str]) -> Iterator[tuple[int, str, float]]:
    with gzip.open(catalogue, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["tmdb_id"] not in excluded:
                yield int(row["tmdb_id"]), row["original_title"] or row["title"], float(row["popularity"] or 0)


def distractors(titles: list[str], count: int) -> Iterator[tuple[int, str, float]]:
    """Three in ten bear the title of another film, the others words of two."""
    rng = random.Random(SEED)
    for number in range(count):
        one, other = rng.choice(titles), rng.choice(titles)
        head, tail = one.split(), other.split()
        mixed = " ".join(head[: max(1, len(head) // 2)] + tail[len(tail) // 2 :])
        yield FIRST_DISTRACTOR + number, one if number < 0.3 * count else mixed, round(rng.lognormvariate(-0.7, 0.8), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("export", type=Path)
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("--distractors", type=int, default=0)
    given = parser.parse_args()
    excluded = frozenset(given.exclude.read_text().split()) if given.exclude else frozenset()
    listed = list(films(given.catalogue, excluded))
    listed += distractors([title for _, title, _ in listed], given.distractors)
    with gzip.open(given.export, "wt", encoding="utf-8") as out:
        for film, title, popularity in listed:
            line = {"adult": False, "id": film, "original_title": title, "popularity": popularity, "video": False}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"{len(listed)} films in {given.export}")


if __name__ == "__main__":
    main()
