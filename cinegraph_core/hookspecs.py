"""The contract with plugins: seven synchronous registration hooks.

Each hook may return one object of its kind, a list, or be a generator; it is drained inside the plugin's isolation, so
that a plugin that breaks half-way is `failed` and harms nobody. Mark implementations with :data:`hookimpl`::

    from cinegraph_core import hookimpl, MetricsSink

    @hookimpl
    def metrics_sink():
        yield MetricsSink(name="paper", open=open_paper)
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from cinegraph_core.contracts import AlertChannel, Enricher, Matcher, MetricsSink, Replica, ServiceSpec, Source

PROJECT = "cinegraph"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def source() -> Source | Iterable[Source]:
    """Register festivals or sites to scrape."""
    return ()


@hookspec
def matcher() -> Matcher | Iterable[Matcher]:
    """Register levels of the matching cascade."""
    return ()


@hookspec
def metrics_sink() -> MetricsSink | Iterable[MetricsSink]:
    """Register destinations for measurements."""
    return ()


@hookspec
def enricher() -> Enricher | Iterable[Enricher]:
    """Register providers of further facts about a matched film; nothing calls them yet."""
    return ()


@hookspec
def alert_channel() -> AlertChannel | Iterable[AlertChannel]:
    """Register ways to reach a person; nothing calls them yet."""
    return ()


@hookspec
def service() -> ServiceSpec | Iterable[ServiceSpec]:
    """Register outside services; the core knows none by name."""
    return ()


@hookspec
def replica() -> Replica | Iterable[Replica]:
    """Register stand-ins for services, used in mock and hybrid mode."""
    return ()
