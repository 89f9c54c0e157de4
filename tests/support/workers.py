"""Calls by two workers of multiprocessing, through a door of each one's own: ``python -m tests.support.workers fork pool``."""

from __future__ import annotations

import multiprocessing
import sys

from cinegraph_core import guarded

CALLS = 12


@guarded("films")
def ask() -> int:
    return 1


def work(number: int) -> None:
    for _ in range(number):
        ask()


def main(method: str, way: str) -> None:
    multiprocessing.set_start_method(method)
    if way == "pool":
        with multiprocessing.Pool(2) as pool:
            pool.map(work, [CALLS // 4] * 4)
        return
    processes = [multiprocessing.Process(target=work, args=(CALLS // 2,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
