"""What makes two requests ask for the same, and which answers are for one caller alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cinegraph_core.contracts import Answer
from cinegraph_core.resilience.cache import cache_key

_KEYED = frozenset({"accept", "accept-language", "user-agent"})
"""Request headers that clients send of themselves and that tell answers apart."""
_ALIKE = frozenset(
    {
        *("accept-encoding", "connection", "host", "proxy-authorization", "referer"),
        *("baggage", "traceparent", "tracestate", "x-correlation-id", "x-request-id"),
    }
)
"""Those that tell none apart: how the answer comes, where the request comes from, and what names it in traces."""
_USUAL = _KEYED | _ALIKE
_PERSONAL = frozenset(
    {
        *("authorization", "cookie", "if-modified-since", "if-none-match", "range"),
        *("content-length", "transfer-encoding"),  # its body says what is asked, and is not part of the key
    }
)
"""Those that make an answer personal."""
_UNKNOWN = frozenset({"*", "cookie", "referer"})
"""Words of ``Vary`` that tell answers apart by what is not in the key."""

_NOT_FOR_OTHERS = re.compile("no-store|private", re.IGNORECASE)
"""Words of an answer's ``Cache-Control``."""


def key_of(side: str, path: str, query: str, headers: Mapping[str, str], *, secrets: tuple[str, ...] = ()) -> str | None:
    """Return the key of a GET, ``None`` if its answer is not to be kept; names of headers are lower case.

    Whatever header a caller adds to the usual ones makes another key: what ``Vary`` says of it comes only with the answer,
    and not every service says it. Pairs of the query that begin with one of the ``secrets`` are no part of what is asked.
    """
    own = ""
    if not _USUAL.issuperset(headers):
        if not _PERSONAL.isdisjoint(headers) or "no-" in headers.get("cache-control", "").lower():
            return None
        own = "\n".join(f"{name}: {headers[name]}" for name in sorted(set(headers) - _USUAL))
    pairs = query.split("&") if query else []
    if secrets:
        pairs = [pair for pair in pairs if not pair.startswith(secrets)]
    said = headers.get
    return cache_key((side, path, said("accept", ""), said("accept-language", ""), said("user-agent", ""), own), pairs)


def may_be_kept(answer: Answer) -> bool:
    """Tell whether an answer allows to be kept for others who ask the same."""
    vary = answer.headers.get("vary")
    if vary is not None and not _UNKNOWN.isdisjoint(vary.lower().replace(" ", "").split(",")):
        return False
    control = answer.headers.get("cache-control")
    return control is None or _NOT_FOR_OTHERS.search(control) is None
