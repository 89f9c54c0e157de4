"""What the editions of one crawl came to, told in few lines however many years were asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from cinegraph_core.records import Edition


class Tally:
    """Counts the editions of a crawl, and remembers those that are not there."""

    def __init__(self) -> None:
        self._editions = 0
        self._empty: defaultdict[str, list[int]] = defaultdict(list)
        self._vanished: defaultdict[str, list[int]] = defaultdict(list)
        self._example: dict[str, tuple[int, str]] = {}

    def note(self, edition: Edition, *, vanished: bool, empty: bool) -> None:
        """Take note of an edition; ``vanished``: its pages should be there and none is; ``empty``: the sources have nothing."""
        self._editions += 1
        if vanished:
            self._vanished[edition.festival].append(edition.year)
            page = edition.pages[0]
            example = (edition.year, page.url)
            self._example[edition.festival] = min(example, self._example.get(edition.festival, example))
        elif empty:
            self._empty[edition.festival].append(edition.year)

    @property
    def is_empty(self) -> bool:
        """Whether editions were to be fetched and the sources say of each that there is nothing."""
        return 0 < self._editions == sum(map(len, self._empty.values()))

    def lines(self) -> Iterator[str]:
        """Yield one line for each festival and kind of absence."""
        for festival, years in self._empty.items():
            yield f"{festival} {spans(years)}: no source has anything of it"
        for festival, years in self._vanished.items():
            yield (
                f"{festival} {spans(years)}: none of its pages is there, so their addresses may have changed "
                f"(the first: {self._example[festival][1]})"
            )


def spans(years: Iterable[int]) -> str:
    """Return years in words: ``1933, 1940–1942``."""
    found: list[list[int]] = []
    for year in sorted(set(years)):
        if found and year == found[-1][1] + 1:
            found[-1][1] = year
        else:
            found.append([year, year])
    return ", ".join(f"{first}–{last}" if last > first else str(first) for first, last in found)
