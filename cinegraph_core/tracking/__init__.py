"""The record of every call on its way: taken at once, written in the background, never lost at a graceful end."""

from cinegraph_core.tracking.tracker import Tracker

__all__ = ["Tracker"]
