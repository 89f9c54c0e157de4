"""Cinegraph's spiders: they only schedule; what a page says is read in the source's plugin."""
