"""``scrapy list`` that tells wrong settings in one sentence."""

from __future__ import annotations

from argparse import Namespace

from scrapy.commands import list as scrapys

from cinegraph_core.crawling.commands.checks import check_settings


class Command(scrapys.Command):
    """Lists the spiders of every installed source; ends with 1 where the settings are wrong."""

    def process_options(self, args: list[str], opts: Namespace) -> None:
        """Refuse wrong settings before Scrapy looks for the spiders."""
        super().process_options(args, opts)
        check_settings()
