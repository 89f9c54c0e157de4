"""``cinegraph match --json``: queries come and results go as JSON lines, in order, any number in bounded memory."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from cinegraph_core.cli.lines import MAX_LINE, Line, read_lines
from cinegraph_core.cli.results import Results
from cinegraph_core.matching import match_stream
from cinegraph_core.matching.remembered import Matching
from cinegraph_core.matching.wire import id_from_json, match_to_json, query_from_json
from cinegraph_core.records import FilmQuery, Match


@dataclass(frozen=True, slots=True)
class _Question:
    """What a line asks: its query, or the result that says why it is none; ``id`` is the line's own, as it came."""

    line: Line
    id: str | int | None
    query: FilmQuery | Match

    def row(self, match: Match) -> dict[str, Any]:
        """Return the result as it is written."""
        row = match_to_json(match) | {"id": self.id}
        return row if isinstance(self.query, FilmQuery) else row | {"line": self.line.number}


@dataclass
class LineMatcher:
    """Matches every line of a descriptor that ``results`` does not hold yet.

    ``read`` counts the lines that are not empty, ``failures`` the results of status error by their error type.
    """

    matching: Matching
    results: Results
    advance: Callable[[], None]
    explain: bool = False
    read: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    _asked: deque[_Question] = field(default_factory=deque)

    async def run(self, descriptor: int) -> None:
        """Read to the end; raises :class:`BrokenPipeError` when nobody reads the results."""
        async with (
            aclosing(self._queries(descriptor)) as queries,
            aclosing(match_stream(self.matching, queries, explain=self.explain)) as matches,
        ):
            async for match in matches:
                self.results.write(self._asked.popleft().row(match))
                if match.status == "error":
                    self.failures[match.error_type or "unknown"] += 1
                self.advance()

    async def _queries(self, descriptor: int) -> AsyncGenerator[FilmQuery | Match, None]:
        async with aclosing(read_lines(descriptor)) as lines:
            async for line in lines:
                if not line.text.strip() and not line.too_long:
                    continue
                self.read += 1
                question = _question(line)
                if self._is_done(question):
                    self.advance()
                    continue
                self._asked.append(question)
                yield question.query

    def _is_done(self, question: _Question) -> bool:
        if question.id is None:
            return self.results.has_line(question.line.number)
        return self.results.has(question.id)


def _question(line: Line) -> _Question:
    if line.too_long:
        return _broken(line, None, f"it is longer than {MAX_LINE} bytes")
    try:
        document = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        return _broken(line, None, f"it is no JSON ({error})")
    try:
        return _Question(line, id_from_json(document), query_from_json(document))
    except (ValueError, TypeError) as error:
        return _broken(line, id_from_json(document), str(error))


def _broken(line: Line, given: str | int | None, reason: str) -> _Question:
    message = f"line {line.number}: {reason}"
    return _Question(line, given, Match(id="", status="error", error_type="client_error", error_message=message))
