"""Fit the weights of the evidence: ``fit.py --shared ../shared --replica URL [--replica URL] --cache DIR [--write]``.

A conditional logistic model: the candidates of a lookup and "none of them" share one probability, as ``judge`` shares it.
It is fitted by projected Newton steps on half of the films (the other half is told by a hash and never seen): the dev set,
and lookups distorted from it, so that it learns what a missing director or year is worth. A ridge holds every weight near
the one set by hand. Prints both models on the held-out half, and writes ``weights.toml`` only when asked to.
Needs numpy.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from distort import KINDS, distorted, menu_strings, sources
from plot import reliability_svg
from recorded import matchers, pools, recording
from sets import Labelled, Score, dev_set, markdown_table, read_labelled, write_jsonl

from cinegraph_core.matching import weights as stored
from cinegraph_core.matching.evidence import Evidence, judge, measured
from cinegraph_core.matching.policy import decide
from cinegraph_core.matching.weights import Weights, weights
from cinegraph_core.records import Candidate
from cinegraph_core.settings import load_settings

RIDGE = 2.0
DEV_WEIGHT = 2.0
FEWEST, MOST = -12.0, 12.0
BOUNDS = {
    "title_short": (FEWEST, 0.0),
    "directors_none_listed": (FEWEST, 0.0),
    "namesakes": (FEWEST, 0.0),
    "popularity": (0.0, 0.2),  # of two films equal in all else the famous one leads by less than the margin: a question
    "year": (0.3, 1.5),
}
HAND = {
    "title_unlike": -8.0,
    "title_to_60": 3.0,
    "title_to_70": 2.0,
    "title_to_80": 2.0,
    "title_to_90": 1.6,
    "title_to_95": 2.4,
    "title_to_98": 0.6,
    "title_to_100": 0.4,
    "title_short": 0.0,
    "year": 1.0,
    "year_unknown": -0.5,
    "year_not_asked": 0.0,
    "directors_same": 6.0,
    "directors_alike": -0.5,
    "directors_other": -6.0,
    "directors_none_listed": 0.0,
    "directors_not_asked": 0.0,
    "namesakes": 0.0,
    "popularity": 0.15,
}


def bounds(name: str) -> tuple[float, float]:
    """Return between what a weight may lie: a better title never weighs less."""
    return (0.0, MOST) if name.startswith("title_to_") else BOUNDS.get(name, (FEWEST, MOST))


@dataclass(frozen=True)
class Case:
    """A lookup with the candidates that the cascade had found for it."""

    labelled: Labelled
    pool: tuple[Candidate, ...]


@dataclass(frozen=True)
class Design:
    """All lookups as arrays: a row per candidate, where each lookup's rows begin, and which row is right (-1: none)."""

    rows: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray
    right: np.ndarray
    importance: np.ndarray


def design(cases: Sequence[Case], names: Sequence[str], by_hand: Weights) -> Design:
    at = {name: column for column, name in enumerate(names)}
    rows, offsets, starts, right, importance = [], [], [], [], []
    for case in cases:
        if not case.pool:
            continue
        starts.append(len(rows))
        good = [index for index, one in enumerate(case.pool) if one.tmdb_id in case.labelled.good]
        right.append(len(rows) + good[0] if good else -1)
        importance.append(DEV_WEIGHT if case.labelled.kind in ("tspdt", "mubi", "imdbevent") else 1.0)
        for features in measured(case.labelled.query, case.pool):
            row = np.zeros(len(names))
            offset = 0.0
            for name, value in features.items():
                if name in at:
                    row[at[name]] = value
                else:
                    offset += by_hand.of(name) * value
            rows.append(row)
            offsets.append(offset)
    return Design(np.array(rows), np.array(offsets), np.array(starts), np.array(right), np.array(importance))


def fitted(data: Design, names: Sequence[str], rounds: int = 60) -> dict[str, float]:
    """Return the likeliest weights, given the ridge; Newton steps, cut back to the bounds and halved until they help."""
    hand = np.array([HAND[name] for name in names])
    low, high = np.array([bounds(name) for name in names]).T
    at = np.clip(hand, low, high)
    value, slope, curve = _likelihood(data, at, hand)
    for _ in range(rounds):
        free = ~(((at <= low) & (slope < 0)) | ((at >= high) & (slope > 0)))
        step = np.zeros_like(at)
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        size = 1.0
        while size > 1e-6:
            trial = np.clip(at + size * step, low, high)
            found = _likelihood(data, trial, hand)
            if found[0] > value:
                break
            size /= 2
        if size <= 1e-6 or found[0] - value < 1e-6:
            break
        at, (value, slope, curve) = trial, found
    return {name: round(float(one), 2) for name, one in zip(names, at, strict=True)}


def _likelihood(data: Design, at: np.ndarray, hand: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the penalised log likelihood, its gradient, and the negated Hessian."""
    lookup = np.zeros(len(data.rows), dtype=int)
    lookup[data.starts[1:]] = 1
    lookup = np.cumsum(lookup)
    totals = data.rows @ at + data.offsets
    highest = np.maximum(0.0, np.maximum.reduceat(totals, data.starts))
    shares = np.exp(totals - highest[lookup])
    whole = np.exp(-highest) + np.add.reduceat(shares, data.starts)
    shares /= whole[lookup]
    known = data.right >= 0
    logs = -highest - np.log(whole)
    logs[known] += totals[data.right[known]]
    weighted = shares * data.importance[lookup]
    expected = np.add.reduceat(data.rows * shares[:, None], data.starts, axis=0)
    slope = data.importance[known] @ data.rows[data.right[known]] - weighted @ data.rows
    curve = (data.rows * weighted[:, None]).T @ data.rows - (expected * data.importance[:, None]).T @ expected
    away = at - hand
    value = float(data.importance @ logs) - RIDGE * float(away @ away) / 2
    return value, slope - RIDGE * away, curve + RIDGE * np.eye(len(at))


# ------------------------------------------------------------------------------------------------ lookups to learn from


def lookups(shared: Path, scratch: Path, seed: int, each: int) -> list[Labelled]:
    """Return the dev set, and ``each`` lookups of every kind of distortion."""
    rng = random.Random(seed)
    dev, fillers = sources(shared, rng)
    pairs = []
    for kind in KINDS:
        rng.shuffle(dev)
        pairs += distorted(kind, [*dev, *fillers], rng, each)
    pairs += menu_strings(rng)
    write_jsonl(scratch / "fit_queries.jsonl", (query for query, _ in pairs))
    write_jsonl(scratch / "fit_answers.jsonl", (answer for _, answer in pairs))
    return [*dev_set(shared), *read_labelled(scratch / "fit_queries.jsonl", scratch / "fit_answers.jsonl")]


async def cases(replicas: Sequence[str], cache: Path, labelled: Sequence[Labelled]) -> list[Case]:
    found = []
    for replica in replicas:
        async with recording(cache / f"{replica.rsplit(':', 1)[-1]}.pickle", replica) as opened:
            got = await pools(opened, (one.query for one in labelled))
        found += [Case(one, pool) for one, pool in zip(labelled, got, strict=True)]
    return found


# ------------------------------------------------------------------------------------------------ what came of it


def judged(case: Case, by: Weights) -> tuple[Evidence, ...]:
    return judge(case.labelled.query, case.pool, by)


def scored(some: Iterable[Case], by: Weights) -> Score:
    """Return how the policy does with these weights on pools already found."""
    levels, settings, score = matchers(), load_settings(environ={}).matching, Score()
    for case in some:
        decision = decide(case.labelled.query, judged(case, by), levels, settings)
        found = decision.winner.candidate.tmdb_id if decision.winner else None
        score.add(case.labelled, found, (one.candidate.tmdb_id for one in decision.shown))
    return score


def reliability(some: Iterable[Case], by: Weights) -> list[tuple[float, float, int]]:
    """Return ``(mean score, share that is right, lookups)`` of each lookup's best candidate, by score."""
    edges = (0.0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99, 1.01)
    best = [(found[0].score, found[0].candidate.tmdb_id in case.labelled.good) for case in some if (found := judged(case, by))]
    bins = [[one for one in best if low <= one[0] < high] for low, high in pairwise(edges)]
    return [
        (sum(score for score, _ in some) / len(some), sum(right for _, right in some) / len(some), len(some))
        for some in bins
        if some
    ]


def write(version: str, note: str, fit: dict[str, float], by_hand: dict[str, float]) -> None:
    lines = [f'version = "{version}"', f'fitted_on = "{note}"', "", "[by_hand]"]
    lines += [f"{name} = {value}" for name, value in by_hand.items()]
    lines += ["", "[fitted]", *(f"{name} = {value}" for name, value in fit.items())]
    Path(stored.__file__).with_name("weights.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def report(held_out: Sequence[Case], models: dict[str, Weights]) -> None:
    heads = ("held-out half", "precision", "recall", "with review", "false on absent")
    dev = [case for case in held_out if case.labelled.kind in ("tspdt", "mubi", "imdbevent")]
    rows = []
    for name, by in models.items():
        rows += [(f"{name}, {what}", *scored(some, by).cells()[:4]) for what, some in (("dev", dev), ("all kinds", held_out))]
    print(markdown_table(heads, rows))
    for name, by in models.items():
        print(f"\n{name}: score, right, lookups")
        for mean, right, count in reliability(held_out, by):
            print(f"  {mean:.3f} {right:.3f} {count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--replica", action="append", required=True, help="http://127.0.0.1:PORT; may be given several times")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what the replicas said")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--each", type=int, default=120, help="lookups per kind of distortion")
    parser.add_argument("--plot", type=Path, help="write the reliability plot of the fitted weights (SVG) here")
    parser.add_argument("--write", metavar="VERSION", help="write the weights under this version")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    labelled = lookups(given.shared, given.cache, given.seed, given.each)
    every = asyncio.run(cases(given.replica, given.cache, labelled))
    first = [case for case in every if case.labelled.in_first_half]
    held_out = [case for case in every if not case.labelled.in_first_half]
    now, names = weights(), list(HAND)
    found = fitted(design(first, names, now), names)
    models = {"by hand": Weights("hand", now.by_hand, HAND), "in use": now, "fitted": Weights("fit", now.by_hand, found)}
    for name in names:
        print(f"{name:24}{HAND[name]:7.2f}{now.fitted[name]:7.2f}{found[name]:7.2f}")
    report(held_out, models)
    if given.plot:
        points = reliability(held_out, models["fitted"])
        title = f"Score against truth on the half of the films that was not fitted on, {len(held_out)} lookups"
        given.plot.write_text(reliability_svg(points, title), encoding="utf-8")
    if given.write:
        note = f"{len(first)} lookups, half of the films, seed {given.seed}"
        write(given.write, note, found, dict(now.by_hand))


if __name__ == "__main__":
    main()
