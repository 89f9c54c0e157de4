"""Makes an error of ours one of a client library's too, so that code written for that library catches it.

Whoever wrote ``except httpx.TransportError`` meant "the service is away"; a breaker whose refusal passes by that line turns
a partial outage into a whole one.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, cast

E = TypeVar("E", bound=BaseException)


@cache
def _twin(ours: Any, theirs: Any) -> Any:
    return type(ours.__name__, (ours, theirs), {"__module__": __name__, "__doc__": ours.__doc__})


def also(error: E, theirs: type[BaseException]) -> E:
    """Return the same error, which from now on is an instance of ``theirs`` as well; its class keeps its name."""
    if not isinstance(error, theirs):
        kind: Any = theirs
        error.__class__ = _twin(cast("Any", type(error)), kind)
    return error
