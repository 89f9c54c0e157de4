"""Tables for people: folded to fit a terminal; in a pipe without colours and in full, so that grep finds what stands there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

_IN_FULL = 1 << 20
"""Columns of a pipe: more than any row has."""
_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]▲[/]", "error": "[red]✕[/]"}


class _Console(Console):
    """A console that leaves it to the command how it ends when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Raise the error that rich would end the process with."""
        raise BrokenPipeError


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    to_stderr: bool = False,
) -> None:
    """Print a table; ``right`` names the columns whose figures stand flush right, ``None`` is shown as a dash.

    At a terminal, cells of these columns and of the ``whole`` ones are not broken in two while another column can give way.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column in right or column in whole)
    for row in rows:
        table.add_row(*(Text("–" if cell is None else str(cell)) for cell in row))
    console = _console(to_stderr=to_stderr)
    console.print(Text(title, style="bold"))
    console.print(table)


def print_findings(findings: Iterable[Mapping[str, str]]) -> None:
    """Print what was checked, one line each, with the remedy under what is not well."""
    table = Table.grid(padding=(0, 1))
    for finding in findings:
        table.add_row(_MARKS[finding["status"]], escape(finding["check"]), escape(finding["message"]))
        if finding["remedy"]:
            table.add_row("", "", f"[bold]→[/] {escape(finding['remedy'])}")
    _console().print(table)


def _console(*, to_stderr: bool = False) -> Console:
    stream = sys.stderr if to_stderr else sys.stdout
    return _Console(stderr=to_stderr, width=None if stream.isatty() else _pipe_width(), highlight=False)


def _pipe_width() -> int:
    asked = os.environ.get("COLUMNS", "")
    return int(asked) if asked.isdecimal() and int(asked) else _IN_FULL
