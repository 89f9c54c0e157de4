"""``cinegraph match --json``: queries come and results go as JSON lines, in order, any number in bounded memory."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from cinegraph_core.cli.lines import MAX_LINE, Line, read_lines
from cinegraph_core.cli.results import Results
from cinegraph_core.matching import Cascade, match_stream
from cinegraph_core.matching.wire import match_to_json, query_from_json
from cinegraph_core.records import FilmQuery, Match


@dataclass
class LineMatcher:
    """Matches every line of a descriptor that ``results`` does not hold yet; ``failed`` counts results of status error."""

    cascade: Cascade
    results: Results
    advance: Callable[[], None]
    failed: int = 0
    _broken: deque[int | None] = field(default_factory=deque)

    async def run(self, descriptor: int) -> None:
        """Read to the end; raises :class:`BrokenPipeError` when nobody reads the results."""
        async with aclosing(self._queries(descriptor)) as queries, aclosing(match_stream(self.cascade, queries)) as matches:
            async for match in matches:
                self.results.write(self._row(match, self._broken.popleft()))
                self.failed += match.status == "error"
                self.advance()

    async def _queries(self, descriptor: int) -> AsyncGenerator[FilmQuery | Match, None]:
        async with aclosing(read_lines(descriptor)) as lines:
            async for line in lines:
                if not line.text.strip() and not line.too_long:
                    continue
                query = _query(line)
                if self._is_done(query, line):
                    self.advance()
                    continue
                self._broken.append(line.number if isinstance(query, Match) else None)
                yield query

    def _is_done(self, query: FilmQuery | Match, line: Line) -> bool:
        return self.results.has(query.id) if query.id else self.results.has_line(line.number)

    @staticmethod
    def _row(match: Match, line: int | None) -> dict[str, Any]:
        row = match_to_json(match)
        return row if line is None else row | {"id": match.id or None, "line": line}


def _query(line: Line) -> FilmQuery | Match:
    """Return the query of a line, or the result that says why it is none."""
    if line.too_long:
        return _broken(line, "", f"it is longer than {MAX_LINE} bytes")
    try:
        document = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        return _broken(line, "", f"it is no JSON ({error})")
    try:
        return query_from_json(document)
    except (ValueError, TypeError) as error:
        given = document.get("id") if isinstance(document, dict) else None
        return _broken(line, given if isinstance(given, str) else "", str(error))


def _broken(line: Line, query_id: str, reason: str) -> Match:
    return Match(id=query_id, status="error", error_type="client_error", error_message=f"line {line.number}: {reason}")
