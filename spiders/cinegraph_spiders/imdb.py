"""IMDb's event pages, for any festival."""

from __future__ import annotations

from cinegraph_core.crawling.spider import EditionSpider


class ImdbSpider(EditionSpider):
    """``-a event=ev0000681 -a year=2023`` or ``-a years=2019-2023``; ``-a missing=true`` for what is not stored."""

    name = "imdb"
