"""Labelled lookups: reading them, splitting them by film, and scoring answers as the measurement of the project does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cinegraph_core.matching.wire import query_from_json
from cinegraph_core.records import FilmQuery

Row = dict[str, Any]


@dataclass(frozen=True)
class Labelled:
    """One lookup with the ids that are right for it; none are, where the film is not in the catalogue."""

    row: Row
    good: frozenset[int]
    film: str

    @property
    def query(self) -> FilmQuery:
        return query_from_json(self.row)

    @property
    def kind(self) -> str:
        """The set a lookup belongs to: its id up to the first dash."""
        return str(self.row["id"]).split("-")[0]

    @property
    def in_first_half(self) -> bool:
        """Which half of the films this is, told by a hash, so that every distortion of a film stays in its half."""
        return hashlib.sha256(self.film.encode()).digest()[0] < 128


def read_jsonl(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_labelled(queries: Path, answers: Path) -> list[Labelled]:
    """Return the lookups of a query file with their answers; ``film`` in an answer names what a distortion was made from."""
    known = {row["id"]: row for row in read_jsonl(answers)}
    return [_labelled(row, known[row["id"]]) for row in read_jsonl(queries)]


def _labelled(row: Row, answer: Row) -> Labelled:
    right = answer["tmdb_id"]
    good = frozenset() if right is None else frozenset({int(right), *map(int, answer.get("also", []))})
    title = str(row.get("title") or row.get("original_title") or "").casefold()
    return Labelled(row, good, str(answer.get("film") or right or f"{title} {row.get('year')}"))


def dev_set(shared: Path) -> list[Labelled]:
    folder = shared / "data" / "matching"
    return read_labelled(folder / "dev_queries.jsonl", folder / "dev_answers.jsonl")


@dataclass
class Score:
    """How a matcher did: counts, and the shares that matter, in per cent."""

    lookups: int = 0
    there: int = 0
    right: int = 0
    wrong: int = 0
    wrong_on_absent: int = 0
    in_review: int = 0
    calls: int = 0
    mistakes: list[tuple[Labelled, int]] = field(default_factory=list)

    def add(self, labelled: Labelled, found: int | None, shown: Iterable[int] = (), calls: int = 0) -> None:
        """Count one answer: the film it is matched with, or, without one, the candidates shown for review."""
        self.lookups += 1
        self.there += bool(labelled.good)
        self.calls += calls
        if found is None:
            self.in_review += bool(labelled.good & set(list(shown)[:3]))
        elif found in labelled.good:
            self.right += 1
        else:
            self.wrong += 1
            self.wrong_on_absent += not labelled.good
            self.mistakes.append((labelled, found))

    @property
    def precision(self) -> float:
        return _percent(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return _percent(self.right, self.there)

    @property
    def with_review(self) -> float:
        return _percent(self.right + self.in_review, self.there)

    @property
    def false_on_absent(self) -> float:
        return _percent(self.wrong_on_absent, self.lookups - self.there)

    @property
    def calls_per_lookup(self) -> float:
        return self.calls / self.lookups if self.lookups else 0.0

    def cells(self) -> list[str]:
        """The figures as cells of a table: precision, recall, with review, false on absent, calls."""
        shares = (
            (self.precision, self.right + self.wrong),
            (self.recall, self.there),
            (self.with_review, self.there),
            (self.false_on_absent, self.lookups - self.there),
        )
        return [f"{value:.2f}" if of else "–" for value, of in shares] + [f"{self.calls_per_lookup:.2f}"]


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a markdown table whose first column is text and whose others are figures."""
    head = list(head)
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
