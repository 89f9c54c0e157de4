"""The weights of the evidence: small, readable, stored beside this module with the version that scores are known by.

``weights.toml`` is written by ``benchmarks/matching/fit.py``; the weights under ``by_hand`` are those on which the data to fit
on is silent.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

_FILE = "weights.toml"


@dataclass(frozen=True, slots=True)
class Weights:
    """Log likelihood ratios by feature, and their version; ``by_hand`` and ``fitted`` have no feature in common."""

    version: str
    by_hand: Mapping[str, float]
    fitted: Mapping[str, float]

    def of(self, feature: str) -> float:
        """Return the weight of a feature; raises :class:`KeyError` for one that nobody weighs."""
        return self.fitted[feature] if feature in self.fitted else self.by_hand[feature]


@cache
def weights() -> Weights:
    """Return the weights that come with the package."""
    stored = tomllib.loads(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    return Weights(stored["version"], stored["by_hand"], stored["fitted"])
