"""Other matchers' rules, written from their descriptions, over the same catalogue: ``peers.py --shared ../shared --replica URL``.

The earlier system's six levels (its defaults, and all six), and the deciding rule of three kinds of well-known matchers:
the first hit; title and year, give or take one; the best similarity over a threshold. Only the rule is rebuilt, on the
search alone, as each of them uses it. Prints one row of the table per rule.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein
from recorded import Recording, gathered, recording
from sets import Labelled, Score, dev_set, markdown_table, read_labelled

Hit = dict[str, Any]


@dataclass
class Catalogue:
    """The search of one lookup, counting its calls."""

    recording: Recording
    calls: int = 0

    async def search(self, title: str, year: int | None = None) -> list[Hit]:
        return list((await self._ask("/search/movie", query=title, year=year))["results"])

    async def find(self, imdb_id: str) -> list[Hit]:
        return list((await self._ask(f"/find/{imdb_id}", external_source="imdb_id"))["movie_results"])

    async def _ask(self, path: str, **params: Any) -> dict[str, Any]:
        self.calls += 1
        body: dict[str, Any] = json.loads((await self.recording.ask(path, params)).body)
        return body


@dataclass(frozen=True)
class Asked:
    """What such a rule looks at: a title and a year."""

    title: str
    year: int | None
    imdb_id: str | None = field(default=None)


Rule = Callable[[Asked, Catalogue], Awaitable[Hit | None]]


def year_of(hit: Hit) -> int | None:
    return int(hit["release_date"][:4]) if hit.get("release_date") else None


def similarity(one: str, other: str) -> float:
    return Levenshtein.normalized_similarity(one.casefold(), other.casefold())


# ------------------------------------------------------------------------------------------------ the earlier system


async def _by_id(asked: Asked, catalogue: Catalogue) -> Hit | None:
    return next(iter(await catalogue.find(asked.imdb_id)), None) if asked.imdb_id else None


async def _exact(asked: Asked, catalogue: Catalogue) -> Hit | None:
    hits = await catalogue.search(asked.title, asked.year)
    return next((hit for hit in hits if hit["title"].casefold() == asked.title.casefold()), None)


async def _normalised(asked: Asked, catalogue: Catalogue) -> Hit | None:
    """Take the first hit for the title without article, punctuation or any letter beyond ASCII, unchecked."""
    plain = re.sub(r"^(the|a|an)\s+", "", re.sub(r"[^\x00-\x7f]", "", asked.title.casefold()))
    plain = " ".join(re.sub(r"[^\w\s]", "", plain, flags=re.ASCII).split())
    return next(iter(await catalogue.search(plain, asked.year)), None) if plain else None


async def _year_tolerant(asked: Asked, catalogue: Catalogue) -> Hit | None:
    if asked.year is None:
        return None
    for year in (asked.year, asked.year - 1, asked.year + 1):
        hits = await catalogue.search(asked.title, year)
        scored = [(0.5 * similarity(asked.title, hit["title"]) + 0.5 * (1 - abs(year - asked.year) / 2), hit) for hit in hits]
        best = max(scored, key=lambda pair: pair[0], default=None)
        if best is not None and best[0] > 0.5:
            return best[1]
    return None


async def _fuzzy(asked: Asked, catalogue: Catalogue) -> Hit | None:
    """Take the first hit, not the best, whose title is more than 70 % like; the year is not looked at."""
    hits = await catalogue.search(asked.title)
    return next((hit for hit in hits if similarity(asked.title, hit["title"]) > 0.7), None)


async def _broad(asked: Asked, catalogue: Catalogue) -> Hit | None:
    words = [word for word in re.findall(r"\w+", asked.title) if len(word) > 3][:3]
    return next(iter(await catalogue.search(" ".join(words))), None) if words else None


_LEVELS: dict[int, Rule] = {1: _by_id, 2: _exact, 3: _normalised, 4: _year_tolerant, 5: _fuzzy, 6: _broad}


def earlier(last: int, least: float) -> Rule:
    """Return the cascade: the first ``last`` applicable levels whose constant is at least ``least``; the first answer wins."""
    confidence = {1: 1.0, 2: 0.9, 3: 0.8, 4: 0.7, 5: 0.6, 6: 0.5}

    async def rule(asked: Asked, catalogue: Catalogue) -> Hit | None:
        applicable = [level for level in _LEVELS if (asked.imdb_id or level != 1) and (asked.year or level != 4)]
        for level in applicable[:last]:
            if confidence[level] >= least and (hit := await _LEVELS[level](asked, catalogue)) is not None:
                return hit
        return None

    return rule


# ------------------------------------------------------------------------------------------------ well-known rules


async def first_hit(asked: Asked, catalogue: Catalogue) -> Hit | None:
    """Search with the year and take what comes first, as media servers do."""
    return next(iter(await catalogue.search(asked.title, asked.year)), None)


def _key(title: str) -> str:
    return re.sub(r"\W|\b(?:a|an|the|and|or|of)\b", "", title.casefold())


async def title_and_year(asked: Asked, catalogue: Catalogue) -> Hit | None:
    """Take the hit whose cleaned title is equal and whose year is at most one off, and none where there are several."""
    hits = [
        hit
        for hit in await catalogue.search(asked.title)
        if _key(asked.title) in {_key(hit["title"]), _key(hit["original_title"])}
    ]
    fitting = [hit for hit in hits if asked.year is None or abs((year_of(hit) or 0) - asked.year) <= 1]
    return fitting[0] if len(fitting) == 1 else None


async def most_alike(asked: Asked, catalogue: Catalogue) -> Hit | None:
    """Take the most similar of title and original title, a little less by the years between, if it reaches 0.75."""

    def score(hit: Hit) -> float:
        years = abs((year_of(hit) or 0) - asked.year) if asked.year else 0
        penalty = min(0.11, 0.01 + years / 1000) if years else 0.0
        return max(similarity(asked.title, hit["title"]), similarity(asked.title, hit["original_title"])) - penalty

    best = max(await catalogue.search(asked.title, asked.year), key=score, default=None)
    return best if best is not None and score(best) >= 0.75 else None


RULES: dict[str, Rule] = {
    "earlier system, its defaults": earlier(3, 0.7),
    "earlier system, all six levels": earlier(6, 0.5),
    "first hit": first_hit,
    "equal title, year ±1, no ties": title_and_year,
    "most alike over 0.75": most_alike,
}


async def scored(rule: Rule, opened: Recording, some: Sequence[Labelled]) -> Score:
    async def one(labelled: Labelled) -> tuple[Hit | None, int]:
        query, catalogue = labelled.query, Catalogue(opened)
        return await rule(Asked(query.title, query.year, query.imdb_id), catalogue), catalogue.calls

    score = Score()
    for labelled, (hit, calls) in zip(some, await gathered(map(one, some)), strict=True):
        score.add(labelled, hit["id"] if hit else None, calls=calls)
    return score


async def rows(replica: str, cache: Path, some: Sequence[Labelled]) -> list[list[str]]:
    """Return a row of figures for every rule."""
    async with recording(cache / f"{replica.rsplit(':', 1)[-1]}.pickle", replica) as opened:
        return [[name, *(await scored(rule, opened, some)).cells()] for name, rule in RULES.items()]


HEADS = ("", "precision", "recall", "with review", "false on absent", "calls")


def lookups(given: argparse.Namespace) -> Iterable[Labelled]:
    if given.distorted is None:
        return dev_set(given.shared)
    return read_labelled(given.distorted / "queries.jsonl", given.distorted / "answers.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--distorted", type=Path, help="what distort.py wrote, instead of the dev set")
    parser.add_argument("--replica", required=True, help="http://127.0.0.1:PORT")
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args()
    print(markdown_table(HEADS, asyncio.run(rows(given.replica, given.cache, list(lookups(given))))))


if __name__ == "__main__":
    main()
