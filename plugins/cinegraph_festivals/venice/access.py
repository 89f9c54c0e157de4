"""How La Biennale's site says no; a readable page of it has film cards, or the festival's name in its title."""

from __future__ import annotations

import re

from cinegraph_festivals.access import judge_of

judge = judge_of(
    "venice",
    "La Biennale",
    re.compile(rb"\bnode-film\b|<title>[^<]*\b(?:Biennale|Venice International Film Festival)\b", re.IGNORECASE),
)
