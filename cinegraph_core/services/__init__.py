"""The door: every request to an outside service goes through here, from httpx and from Scrapy alike.

:class:`Services` routes and remembers, :class:`CallGuard` leads one call, :func:`client` and :func:`guarded` are for scripts.
"""

from cinegraph_core.services.call import CallGuard
from cinegraph_core.services.door import Services
from cinegraph_core.services.guarded import guarded
from cinegraph_core.services.opening import client, set_opener
from cinegraph_core.services.shared import SharedState

__all__ = [
    "CallGuard",
    "Services",
    "SharedState",
    "client",
    "guarded",
    "set_opener",
]
