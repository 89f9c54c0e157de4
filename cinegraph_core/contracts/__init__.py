"""The typed, frozen objects that plugins hand to Cinegraph, and the protocols Cinegraph hands to them.

A hook registers one of these objects; everything asynchronous lives on the object, never on the hook. A plugin author
needs this package and :mod:`cinegraph_core.records`, both exported by name from :mod:`cinegraph_core`.
"""

from __future__ import annotations

from cinegraph_core.contracts.calls import Answer, Call, ServiceClient
from cinegraph_core.contracts.clock import Clock
from cinegraph_core.contracts.matching import Catalogue, Enricher, LookupContext, Matcher
from cinegraph_core.contracts.naming import check_name
from cinegraph_core.contracts.services import BreakerWindow, Credentials, Replica, ServiceSpec
from cinegraph_core.contracts.sinks import AlertChannel, MetricsSink, SinkContext, SinkWriter
from cinegraph_core.contracts.sources import EditionPlan, PageInput, PageRequest, PageResult, Source

Registered = Source | Matcher | MetricsSink | Enricher | AlertChannel | ServiceSpec | Replica
"""Whatever a hook may register."""

__all__ = [
    "AlertChannel",
    "Answer",
    "BreakerWindow",
    "Call",
    "Catalogue",
    "Clock",
    "Credentials",
    "EditionPlan",
    "Enricher",
    "LookupContext",
    "Matcher",
    "MetricsSink",
    "PageInput",
    "PageRequest",
    "PageResult",
    "Registered",
    "Replica",
    "ServiceClient",
    "ServiceSpec",
    "SinkContext",
    "SinkWriter",
    "Source",
    "check_name",
]
