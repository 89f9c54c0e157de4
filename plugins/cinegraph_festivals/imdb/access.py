"""How IMDb says no: an AWS WAF challenge or a block page; a readable page holds its data in one of two scripts."""

from __future__ import annotations

import re

from cinegraph_festivals.access import judge_of

judge = judge_of("imdb", "IMDb", re.compile(rb"__NEXT_DATA__|IMDbReactWidgets"))
