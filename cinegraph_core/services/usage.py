"""How many tokens a call took, if its answer, result or error says so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import PageError, ServiceError
from cinegraph_core.resilience.budget import Tokens

log = logging.getLogger(__name__)
_SENT = ("input_tokens", "prompt_tokens")
_RECEIVED = ("output_tokens", "completion_tokens")
"""How OpenAI's APIs, and those that copy them, name the two kinds."""
_MOST = 10**9
"""No call takes more tokens; what it is said to cost beyond that might not fit the count, a database's integer."""


def tokens_used(outcome: object, read: Callable[[Any], Tokens | None] | None = None) -> Tokens | None:
    """Return the tokens that an answer, a function's result or an error says the call took, ``None`` if it does not say.

    ``read`` finds them in an answer or a result; without it they are sought where OpenAI writes them: in the ``usage`` of a
    JSON body, a mapping or an object. What was refused with an HTTP status took none: providers do not bill a refusal. A
    reader that breaks, or returns anything but whole numbers from 0 to a billion, is logged as an error and says nothing.
    """
    if outcome is None:
        return None
    try:
        if isinstance(outcome, ServiceError | PageError):
            return Tokens() if getattr(outcome, "status", None) is not None else None
        used = _in_usage(outcome) if read is None else _checked(read(outcome))
    except Exception:
        log.exception("the tokens of a call cannot be read, so the most it may take is counted")
        return None
    if used is None and isinstance(outcome, Answer) and outcome.status >= 400:
        return Tokens()
    return used


def _checked(used: object) -> Tokens | None:
    """Return what a reader found; raises :class:`ValueError` for what would be paid as less than nothing, or as a fraction."""
    if used is None:
        return None
    if isinstance(used, Tokens) and _is_count(used.input) and _is_count(used.output):
        return used
    raise ValueError(f"usage= returned {used!r} in place of Tokens of whole numbers from 0 to {_MOST}")


def _is_count(figure: object) -> TypeGuard[int]:
    return isinstance(figure, int) and not isinstance(figure, bool) and 0 <= figure <= _MOST


def _in_usage(outcome: object) -> Tokens | None:
    if isinstance(outcome, Answer):
        try:
            outcome = outcome.json()
        except ValueError:
            return None
    usage = _part(outcome, "usage")
    sent, received = (_said(usage, names) for names in (_SENT, _RECEIVED))
    if sent is None and received is None:
        return None
    sent, received = sent or 0, received or 0
    return Tokens(sent, received) if _is_count(sent) and _is_count(received) else None


def _part(thing: object, name: str) -> object:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _said(usage: object, names: tuple[str, ...]) -> object:
    found = (_part(usage, name) for name in names)
    return next((one for one in found if one is not None), None)
