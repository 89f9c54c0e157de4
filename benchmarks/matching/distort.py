"""Make lookups harder, the way print, typing and scraping make them: ``distort.py --shared ../shared --out DIR``.

Every kind takes 200 lookups of the dev set that it applies to, films that the catalogue lacks among them, and changes one
thing. Where the dev set has fewer (numerals, ``&``, subtitles, foreign originals), films of the catalogue fill the number up.
Seeded: the same input gives the same files. Writes ``queries.jsonl`` and ``answers.jsonl``; an id begins with its kind.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from menu import MENU
from sets import Row, dev_set, write_jsonl

EACH = 200
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROMAN = {"2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI", "7": "VII", "8": "VIII"}
_ARABIC = {roman: arabic for arabic, roman in _ROMAN.items()}
_ARTICLE = re.compile(r"^(The|A|An|Le|La|Les|L'|El|Los|Las|Il|Der|Die|Das|Den|Det|De|O|Os|As)(?:\s+|(?<='))(.+)$")
_MOVED = re.compile(r"^(.+), (The|A|An|Le|La|Les|L'|El|Los|Las|Il|Der|Die|Das|Den|Det|De|O|Os|As)$")
# How often a film is as old as the edition, one year older, two years older, a year younger, in the festivals' own lists.
_YEARS_BEFORE = {"cannes": (88, 9, 1, 2), "berlin": (61, 36, 1, 2), "venice": (87, 7, 2, 4), "oscars": (1, 92, 7, 0)}
_NOISE = (" (4K)", " [TV]", " (short)", " (restored version)", " (2K restoration)", " [DCP]")


@dataclass(frozen=True)
class Source:
    """A lookup to distort, with the film's original title where the catalogue has one."""

    row: Row
    tmdb_id: int | None
    original: str

    @property
    def title(self) -> str:
        return str(self.row["title"])

    @property
    def foreign(self) -> str:
        """The original title, where it is another one."""
        return self.original if _plain(self.original) != _plain(self.title) else ""


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


Change = Callable[[Source, random.Random], dict[str, Any] | None]


def _title(change: Callable[[str, random.Random], str | None]) -> Change:
    def changed(source: Source, rng: random.Random) -> dict[str, Any] | None:
        title = change(source.title, rng)
        return {"title": title} if title and title != source.title else None

    return changed


def typo(title: str, rng: random.Random) -> str | None:
    """Return a title with one letter left out, changed, added or swapped with the one before; none of a very short title."""
    places = [at for at, letter in enumerate(title) if letter.isalpha()]
    if len(places) < 5:
        return None
    at = rng.choice(places)
    return rng.choice(
        (
            title[:at] + title[at + 1 :],
            title[:at] + rng.choice(_LETTERS) + title[at + 1 :],
            title[:at] + rng.choice(_LETTERS) + title[at:],
            title[: at - 1] + title[at] + title[at - 1] + title[at + 1 :] if at else title[1:],
        )
    )


def two_typos(title: str, rng: random.Random) -> str | None:
    """Return a title with two such slips."""
    once = typo(title, rng)
    return typo(once, rng) if once and len(title) > 8 else None


def _joined(title: str, rng: random.Random) -> str | None:
    words = title.split()
    at = rng.randrange(len(words) - 1) if len(words) > 1 else -1
    return None if at < 0 else " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])


def _article_moved(title: str, _rng: random.Random) -> str | None:
    if moved := _MOVED.match(title):
        rest, article = moved.groups()
        return f"{article}{rest}" if article.endswith("'") else f"{article} {rest}"
    if leading := _ARTICLE.match(title):
        return f"{leading[2]}, {leading[1]}"
    return None


def _numeral_swapped(title: str, _rng: random.Random) -> str | None:
    words = title.split()
    swapped = [{**_ROMAN, **_ARABIC}.get(word, word) for word in words]
    return " ".join(swapped) if len(words) > 1 and swapped != words else None


def _subtitle_dropped(title: str, _rng: random.Random) -> str | None:
    head, separator, _ = title.partition(": ")
    return head if separator else None


def _word_missing(title: str, rng: random.Random) -> str | None:
    words = title.split()
    if len(words) < 3:
        return None
    del words[rng.randrange(len(words))]
    return " ".join(words)


def _and_swapped(title: str, _rng: random.Random) -> str | None:
    if " & " in title:
        return title.replace(" & ", " and ")
    return title.replace(" and ", " & ") if " and " in title else None


def _without_accents(source: Source, _rng: random.Random) -> dict[str, Any] | None:
    decomposed = unicodedata.normalize("NFKD", source.foreign)
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return {"title": bare} if bare and bare != source.foreign else None


def _original_and_english(source: Source, _rng: random.Random) -> dict[str, Any] | None:
    return {"title": f"{source.foreign} ({source.title})"} if source.foreign and "(" not in source.title else None


def _original_typo_year(source: Source, rng: random.Random) -> dict[str, Any] | None:
    title, year = typo(source.foreign, rng) if source.foreign else None, source.row.get("year")
    return {"title": title, "year": year + rng.choice((-1, 1))} if title and year else None


def _year(offset: int) -> Change:
    return lambda source, _rng: {"year": source.row["year"] + offset} if source.row.get("year") else None


def _no_director(source: Source, _rng: random.Random) -> dict[str, Any] | None:
    return {"directors": []} if source.row.get("directors") else None


def _edition(source: Source, rng: random.Random) -> dict[str, Any] | None:
    """As an archive prints it: no director, and the year of the edition, which the film is up to two years older than."""
    if not source.row.get("year") or source.row.get("festival"):
        return None
    festival = rng.choice(sorted(_YEARS_BEFORE))
    later = rng.choices((0, 1, 2, -1), weights=_YEARS_BEFORE[festival])[0]
    return {"directors": [], "festival": festival, "edition": None, "year": source.row["year"] + later}


KINDS: dict[str, Change] = {
    "exact": lambda _source, _rng: {},
    "article moved": _title(_article_moved),
    "typo 1": _title(typo),
    "typo 2": _title(two_typos),
    "joined words": _title(_joined),
    "roman or arabic": _title(_numeral_swapped),
    "original (English)": _original_and_english,
    "original, typo, year 1 off": _original_typo_year,
    "original, no accents": _without_accents,
    "year -1": _year(-1),
    "year +1": _year(1),
    "year +2": _year(2),
    "no year": lambda _source, _rng: {"year": None},
    "subtitle dropped": _title(_subtitle_dropped),
    "word missing": _title(_word_missing),
    "remark added": _title(lambda title, rng: title + rng.choice(_NOISE)),
    "& or and": _title(_and_swapped),
    "CAPITALS": _title(lambda title, _rng: title.upper()),
    "no director": _no_director,
    "edition's year, no director": _edition,
    "no director, no year": lambda source, rng: _no_director(source, rng) and {"directors": [], "year": None},
}
MENU_KIND = "menu string"


def catalogue_rows(shared: Path) -> Iterator[dict[str, str]]:
    with gzip.open(shared / "data" / "catalogue" / "tmdb_catalogue.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def sources(shared: Path, rng: random.Random) -> tuple[list[Source], list[Source]]:
    """Return what can be distorted: the dev set, and well-documented films of the catalogue; shuffled both."""
    absent = set(map(int, (shared / "data" / "matching" / "dev_absent.txt").read_text(encoding="utf-8").split()))
    originals, fillers = {}, []
    for film in catalogue_rows(shared):
        tmdb_id = int(film["tmdb_id"])
        originals[tmdb_id] = film["original_title"]
        if film["directors"] and film["year"] and tmdb_id not in absent:
            row = {"title": film["title"], "year": int(film["year"]), "directors": film["directors"].split("|")[:1]}
            fillers.append(Source(row, tmdb_id, film["original_title"]))
    dev = []
    for one in dev_set(shared):
        right = min(one.good, default=None)
        dev.append(Source(one.row, right, originals.get(right or 0, "")))
    rng.shuffle(dev)
    rng.shuffle(fillers)
    return dev, fillers


def distorted(kind: str, pool: Iterable[Source], rng: random.Random, count: int = EACH) -> Iterator[tuple[Row, Row]]:
    """Yield queries of one kind with their answers."""
    made = 0
    for source in pool:
        change = KINDS[kind](source, rng)
        if change is None:
            continue
        name = f"{kind}-{made:04}"
        film = source.tmdb_id or f"{source.title.casefold()} {source.row.get('year')}"
        query = {name: value for name, value in {**source.row, **change}.items() if value is not None}
        yield {**query, "id": name}, {"id": name, "tmdb_id": source.tmdb_id, "film": film}
        made += 1
        if made == count:
            return


def menu_strings(rng: random.Random) -> Iterator[tuple[Row, Row]]:
    """Yield what a scraper takes for a title by mistake, with a year of an edition and without; none is a film."""
    for at in range(EACH):
        name = f"{MENU_KIND}-{at:04}"
        query: Row = {"id": name, "title": MENU[at % len(MENU)]}
        if at % 4:
            query |= {"year": rng.randint(2012, 2026)}
        if at % 4 == 2:
            query |= {"festival": rng.choice(("cannes", "venice", "berlin"))}
        yield query, {"id": name, "tmdb_id": None, "film": query["title"]}


def all_kinds(shared: Path, seed: int) -> list[tuple[Row, Row]]:
    rng = random.Random(seed)
    dev, fillers = sources(shared, rng)
    pairs = [pair for kind in KINDS for pair in distorted(kind, [*dev, *fillers], rng)]
    return [*pairs, *menu_strings(rng)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/ and tools/")
    parser.add_argument("--out", type=Path, required=True, help="folder for queries.jsonl and answers.jsonl")
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    pairs = all_kinds(given.shared, given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    write_jsonl(given.out / "queries.jsonl", (query for query, _ in pairs))
    write_jsonl(given.out / "answers.jsonl", (answer for _, answer in pairs))


if __name__ == "__main__":
    main()
