"""Scrapy's commands with Cinegraph's endings: ``COMMANDS_MODULE = "cinegraph_core.crawling.commands"``."""
