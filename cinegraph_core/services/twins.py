"""Makes an error of ours one of a client library's too, so that code written for that library catches it.

Whoever wrote ``except httpx.TransportError`` meant "the service is away"; a breaker whose refusal passes by that line turns
a partial outage into a whole one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from types import MemberDescriptorType
from typing import Any, TypeVar

from cinegraph_core.errors import ServiceError

E = TypeVar("E", bound=BaseException)
_OWN = dict.fromkeys(vars(ServiceError()))
"""What each of our errors says of itself, which no property of another class's may hide."""
_MADE_BY_PYTHON = 1 << 9
"""The flag of classes that a ``class`` statement made (``Py_TPFLAGS_HEAPTYPE``)."""


def also(error: E, theirs: type[BaseException]) -> E:
    """Return the same error, which from now on is an instance of ``theirs`` as well.

    Where errors of that class are laid out otherwise, as those of :class:`OSError`, it is a copy. Its class keeps its name; it
    can be copied and pickled, so that it comes through a pool of processes as it is (as ours alone, where what came of theirs
    cannot be pickled). Raises :class:`TypeError` for a class that cannot be combined.
    """
    if isinstance(error, theirs):
        return error
    kind = _twin((*getattr(error, "_kinds", (type(error),)), theirs))
    try:
        error.__class__ = kind
    except TypeError:
        return _moved(error, kind)
    return error


def is_twin(error: BaseException) -> bool:
    """Tell whether an error is of two kinds already."""
    return hasattr(error, "_kinds")


def take_after(twin: BaseException, original: BaseException) -> None:
    """Give a twin what an error of the other kind says of itself; where both have a word for it, ours stands."""
    for name, value in vars(original).items():
        twin.__dict__.setdefault(name, value)
    _set(twin, dict(_members(original)))


@lru_cache(maxsize=256)
def _twin(kinds: tuple[type[BaseException], ...]) -> Any:
    ours = kinds[0]
    if len(kinds) == 1:
        return ours
    about = {"__module__": __name__, "__doc__": ours.__doc__, "__reduce__": _reduced, "_kinds": kinds}
    words = {"__str__": BaseException.__str__, "__repr__": BaseException.__repr__}
    return type(ours.__name__, kinds, (_OWN if issubclass(ours, ServiceError) else {}) | about | words)


def _moved(error: E, kind: Any) -> E:
    twin: Any = _remade(kind._kinds, error.args, dict(_members(error)))
    twin.__dict__.update(error.__dict__)
    twin.__cause__, twin.__context__, twin.__traceback__ = error.__cause__, error.__context__, error.__traceback__
    twin.__suppress_context__ = error.__suppress_context__
    moved: E = twin
    return moved


def _reduced(error: Any) -> tuple[Any, ...]:
    kinds, fields, members = error._kinds, error.__dict__, dict(_members(error))
    if not _travels((kinds, fields, members)):
        kinds, fields, members = kinds[:1], {name: value for name, value in fields.items() if _travels(value)}, {}
    return _remade, (kinds, error.args, members), fields


def _remade(kinds: tuple[type[BaseException], ...], args: tuple[Any, ...], members: dict[str, Any]) -> BaseException:
    kind = _twin(kinds)
    # Their own __init__ may want what we do not have.
    made_of = next(one for one in kind.__mro__ if not one.__flags__ & _MADE_BY_PYTHON)
    error: BaseException = made_of.__new__(kind)
    error.args = args
    _set(error, members)
    return error


def _members(error: BaseException) -> Iterator[tuple[str, Any]]:
    """Yield what an error keeps outside its ``__dict__``: ``errno`` of an :class:`OSError`, and slots."""
    for kind in type(error).__mro__:
        for name, member in vars(kind).items():
            if isinstance(member, MemberDescriptorType) and not name.startswith("__") and hasattr(error, name):
                yield name, getattr(error, name)


def _set(error: BaseException, members: dict[str, Any]) -> None:
    for name, value in members.items():
        with suppress(AttributeError, TypeError):
            setattr(error, name, value)


def _travels(thing: object) -> bool:
    import pickle  # noqa: PLC0415 - dear to import, and loaded already where anything travels

    try:
        pickle.dumps(thing)
    except Exception:  # noqa: BLE001 - whatever a class raises that cannot be pickled
        return False
    return True
