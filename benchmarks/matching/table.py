"""Everything measured, as tables: ``table.py --shared ../shared --scratch DIR [--distractors 900000]``.

Starts a replica of the catalogue, runs the real command over the dev set and over every kind of distortion, runs the other
matchers' rules over the same, and prints markdown. The figures are of this machine's run; only shares are reported, no times.
"""

from __future__ import annotations

import argparse
import asyncio
import tomllib
from itertools import groupby
from pathlib import Path

from distort import all_kinds
from peers import HEADS, RULES
from peers import scored as scored_by
from recorded import recording
from serve import command_answers, replica, scored
from sets import Labelled, Row, Score, dev_set, markdown_table, read_labelled, write_jsonl

EARLIER = "earlier system, all six levels"
_DISPUTED = Path(__file__).with_name("disputed.toml")


def disputed() -> frozenset[str]:
    """Return the lookups whose label can be proved wrong; each is explained in the file."""
    return frozenset(tomllib.loads(_DISPUTED.read_text(encoding="utf-8")))


def kind_of(labelled: Labelled) -> str:
    return str(labelled.row["id"]).rsplit("-", 1)[0]


def dev_table(ours: list[Row], dev: list[Labelled], peers: dict[str, Score]) -> str:
    doubtful = disputed()
    kept = [(one, answer) for one, answer in zip(dev, ours, strict=True) if one.row["id"] not in doubtful]
    rows = [["**ours**", *scored(dev, ours).cells()]]
    rows.append([f"ours, without {len(dev) - len(kept)} wrong labels", *scored(*map(list, zip(*kept, strict=True))).cells()])
    for name in sorted({one.kind for one in dev}):
        chosen = [(one, answer) for one, answer in zip(dev, ours, strict=True) if one.kind == name]
        rows.append([f"ours, {name}", *scored(*map(list, zip(*chosen, strict=True))).cells()])
    return markdown_table(HEADS, rows + [[name, *score.cells()] for name, score in peers.items()])


def kinds_table(ours: list[Row], some: list[Labelled], earlier: dict[str, Score]) -> str:
    rows, pairs = [], list(zip(some, ours, strict=True))
    for kind, group in groupby(pairs, key=lambda pair: kind_of(pair[0])):
        theirs = earlier[kind].cells()
        rows.append([kind, *scored(*map(list, zip(*group, strict=True))).cells(), *theirs[:2]])
    rows.append(["**all**", *scored(some, ours).cells(), "", ""])
    return markdown_table(("kind", *HEADS[1:], "earlier: precision", "earlier: recall"), rows)


async def peers_on(url: str, cache: Path, dev: list[Labelled], some: list[Labelled]) -> tuple[dict[str, Score], dict[str, Score]]:
    async with recording(cache, url) as opened:
        on_dev = {name: await scored_by(rule, opened, dev) for name, rule in RULES.items()}
        groups = {kind: list(group) for kind, group in groupby(some, key=kind_of)}
        return on_dev, {kind: await scored_by(RULES[EARLIER], opened, group) for kind, group in groups.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/ and tools/")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is generated")
    parser.add_argument("--distractors", type=int, default=0)
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    given.scratch.mkdir(parents=True, exist_ok=True)
    queries, answers = given.scratch / "queries.jsonl", given.scratch / "answers.jsonl"
    pairs = all_kinds(given.shared, given.seed)
    write_jsonl(queries, (query for query, _ in pairs))
    write_jsonl(answers, (answer for _, answer in pairs))
    dev, some = dev_set(given.shared), read_labelled(queries, answers)
    with replica(given.shared, given.distractors) as url:
        ours_dev, ours_some = command_answers(url, dev), command_answers(url, some)
        peers, earlier = asyncio.run(peers_on(url, given.scratch / f"peers-{given.distractors}.pickle", dev, some))
    print(dev_table(ours_dev, dev, peers), kinds_table(ours_some, some, earlier), sep="\n\n")


if __name__ == "__main__":
    main()
