"""Matching: finds the film a printed title means, asks a person where it cannot know, and never guesses."""

from cinegraph_core.matching.cascade import Cascade
from cinegraph_core.matching.catalogue import TitleIndex
from cinegraph_core.matching.stream import match_stream

__all__ = ["Cascade", "TitleIndex", "match_stream"]
