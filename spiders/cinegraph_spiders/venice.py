"""The Venice International Film Festival."""

from __future__ import annotations

from cinegraph_core.crawling.spider import EditionSpider


class VeniceSpider(EditionSpider):
    """``-a year=2024`` or ``-a years=2019-2024``; ``-a via=official|imdb|both``; ``-a missing=true`` for what is not stored."""

    name = "venice"
