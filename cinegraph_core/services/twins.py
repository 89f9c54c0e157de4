"""Makes an error of ours one of a client library's too, so that code written for that library catches it.

Whoever wrote ``except httpx.TransportError`` meant "the service is away"; a breaker whose refusal passes by that line turns
a partial outage into a whole one.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

E = TypeVar("E", bound=BaseException)


def also(error: E, theirs: type[BaseException]) -> E:
    """Return the same error, which from now on is an instance of ``theirs`` as well.

    Its class keeps its name; it can be copied and pickled, so that it comes through a pool of processes as it is.
    """
    if not isinstance(error, theirs):
        kinds = getattr(error, "_kinds", (type(error),))
        error.__class__ = _twin((*kinds, theirs))
    return error


@cache
def _twin(kinds: tuple[type[BaseException], ...]) -> Any:
    ours = kinds[0]
    return type(ours.__name__, kinds, {"__module__": __name__, "__doc__": ours.__doc__, "__reduce__": _reduced, "_kinds": kinds})


def _reduced(error: Any) -> tuple[Any, ...]:
    return _remade, (error._kinds, error.args), error.__dict__


def _remade(kinds: tuple[type[BaseException], ...], args: tuple[Any, ...]) -> BaseException:
    error = kinds[0](*args)
    error.__class__ = _twin(kinds)
    return error
