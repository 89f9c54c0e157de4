"""The Locarno Film Festival for Cinegraph: a source, a level of the cascade, a metrics sink, and a stand-in for its site."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cinegraph_core import Matcher, MetricsSink, Replica, ServiceSpec, Source, hookimpl
from cinegraph_locarno import brackets, palmares, paper, stand_in


@hookimpl
def service() -> ServiceSpec:
    """Register the festival's site."""
    return ServiceSpec(name="locarno", base_url="https://www.locarnofestival.ch", kind="site")


@hookimpl
def source() -> Source:
    """Register the festival; Cinegraph builds the spider."""
    return Source(
        name="locarno",
        plan=palmares.plan,
        read=palmares.read,
        arguments=palmares.ARGUMENTS,
        festivals={"locarno": "Locarno Film Festival"},
        services=("locarno",),
    )


@hookimpl
def matcher() -> Matcher:
    """Register the level for titles with a translation in brackets."""
    return Matcher(name="locarno_bracketed_title", level=6, strategy="bracketed_title", confidence=0.5, propose=brackets.propose)


@hookimpl
def metrics_sink() -> Iterator[MetricsSink]:
    """Register the paper sink, if somebody said where to write."""
    if path := os.environ.get("LOCARNO_MEASUREMENTS"):
        yield MetricsSink(name="locarno_paper", open=lambda _context: paper.Paper(path))


@hookimpl
def replica() -> Replica:
    """Register the stand-in for the festival's site."""
    return Replica(name="locarno_replica", services=("locarno",), start=stand_in.start)
