"""Settings of the Scrapy project; the addon brings the door, the store and every installed source's spider."""

BOT_NAME = "cinegraph"
ADDONS = {"cinegraph_core.crawling.CinegraphAddon": 500}
COMMANDS_MODULE = "cinegraph_core.crawling.commands"
SPIDER_MODULES: list[str] = []
# Named here too, because `scrapy list` does not ask the addons.
SPIDER_LOADER_CLASS = "cinegraph_core.crawling.loader.PluginSpiderLoader"

COOKIES_ENABLED = False
DOWNLOAD_MAXSIZE = 64 * 1024 * 1024
ROBOTSTXT_USER_AGENT = "cinegraph"
