"""What a year in a query means, and how likely a film's own year is at each distance from it.

The shares were counted on some 26,000 films (film years) and on the festivals' own lists of past editions (edition years):
a Berlin edition in February shows the films of the year before as often as not, an Oscar ceremony nearly always does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cinegraph_core.matching.titles import words
from cinegraph_core.records import FilmQuery

_RANDOM_SHARE = 1 / 60  # films of one title spread over some sixty years
_FAR_SHARE = 0.0004
FAR_YEARS = 5


@dataclass(frozen=True, slots=True)
class YearMeaning:
    """What a year stands for: ``shares`` maps (film's year - given year) to how often that is so; ``mode`` is the commonest."""

    name: str
    shares: Mapping[int, float]

    @property
    def mode(self) -> int:
        """The distance that is expected."""
        return max(self.shares, key=lambda distance: self.shares[distance])


FILM = YearMeaning("the film's year", {0: 0.945, 1: 0.030, -1: 0.019, 2: 0.0018, -2: 0.0018})
PREMIERE = YearMeaning("the film's year, first shown at a festival", {0: 0.90, 1: 0.075, -1: 0.015, 2: 0.002, -2: 0.002})
EDITION = YearMeaning("the year of an edition", {0: 0.845, -1: 0.130, 1: 0.021, -2: 0.003})
_EDITIONS: dict[str, YearMeaning] = {
    "cannes": YearMeaning("the year of a Cannes edition", {0: 0.879, -1: 0.086, 1: 0.019, -2: 0.006}),
    "berlin": YearMeaning("the year of a Berlin edition", {0: 0.606, -1: 0.366, 1: 0.016, -2: 0.002}),
    "venice": YearMeaning("the year of a Venice edition", {0: 0.811, -1: 0.065, 1: 0.043, -2: 0.010}),
    "oscars": YearMeaning("the year of a ceremony", {-1: 0.914, -2: 0.068, 0: 0.008, -3: 0.004}),
}
_ALIASES = {
    "cannes": "cannes",
    "berlin": "berlin",
    "berlinale": "berlin",
    "venice": "venice",
    "venezia": "venice",
    "biennale": "venice",
    "mostra": "venice",
    "oscar": "oscars",
    "oscars": "oscars",
    "academy": "oscars",
}


def given_year(query: FilmQuery) -> int | None:
    """Return the year the query gives; without a year of its own, that of the edition at which the film was shown."""
    return query.edition if query.year is None else query.year


def meaning_of(query: FilmQuery) -> YearMeaning:
    """Return what the given year means: the film's own, unless it is that of a festival's edition."""
    if not query.festival and (query.edition is None or query.year is not None):
        return FILM
    if query.edition is not None and query.year is not None:
        return PREMIERE
    known = (_ALIASES[word] for word in words(query.festival or "") if word in _ALIASES)
    return _EDITIONS.get(next(known, ""), EDITION)


def likely_year(query: FilmQuery) -> int | None:
    """Return the film's likeliest year, ``None`` if the query gives none."""
    year = given_year(query)
    return None if year is None else year + meaning_of(query).mode


def year_evidence(query: FilmQuery, year: int | None) -> float:
    """Return the log likelihood ratio that the film's year speaks with: 4 for the expected one, below 0 for a far one.

    It is 0 where either year is unknown.
    """
    given = given_year(query)
    if given is None or year is None:
        return 0.0
    return math.log(meaning_of(query).shares.get(year - given, _FAR_SHARE) / _RANDOM_SHARE)


def years_off(query: FilmQuery, year: int | None) -> int | None:
    """Return how far the film's year is from the nearest that is at least one in twenty likely; ``None`` if unknown."""
    given = given_year(query)
    if given is None or year is None:
        return None
    shares = meaning_of(query).shares
    common = [distance for distance, share in shares.items() if share >= 0.05]
    return min(abs(year - given - distance) for distance in common)
