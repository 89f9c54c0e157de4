"""Settings of the project."""

BOT_NAME = "bookshelf"
SPIDER_MODULES = ["bookshelf.spiders"]
DOWNLOAD_DELAY = 0
ROBOTSTXT_OBEY = False

ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500}
