"""Every folder of ``tests/fixtures/pages`` is one page and what reading it gives: the whole output, or the error.

The comment at the top of ``input.html`` names the source, its arguments and the path of the page. ``output.json`` leaves
out what is empty or default, and says once, for the whole page, who speaks; ``error.txt`` is the error's class and a part
of its message.
"""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import cinegraph_core
from cinegraph_core import PageInput, PageResult, Source
from cinegraph_festivals import imdb, venice
from tests.support.captures import page_input

PAGES = Path(__file__).parent.parent / "fixtures" / "pages"
SOURCES: dict[str, Source] = {"imdb": imdb.source(), "venice": venice.source()}


def load(case: Path) -> tuple[Source, PageInput]:
    text = (case / "input.html").read_text(encoding="utf-8")
    match = re.match(r"<!-- (?P<source>\w+) (?P<arguments>[^:]+): (?P<path>\S+) -->", text)
    assert match, f"{case.name}/input.html does not begin with <!-- source argument=value: /path -->"
    source = SOURCES[match["source"]]
    arguments = dict(argument.split("=", 1) for argument in match["arguments"].split())
    pages = [page for plan in source.plan(arguments) for page in plan.pages]
    return source, page_input(next(page for page in pages if page.path == match["path"]), text)


def compact(value: Any) -> Any:
    """Return a record as JSON values without what equals its default."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field for field in dataclasses.fields(value) if getattr(value, field.name) != field.default]
        return {field.name: compact(getattr(value, field.name)) for field in fields}
    if isinstance(value, tuple):
        return [compact(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def output(result: PageResult) -> dict[str, Any]:
    printed: dict[str, Any] = compact(result)
    speakers = [nomination.pop("source") for nomination in printed["nominations"]]
    assert speakers.count(speakers[0]) == len(speakers)
    return {**printed, "source": speakers[0]}


@pytest.mark.parametrize("case", [pytest.param(file.parent, id=file.parent.name) for file in sorted(PAGES.glob("*/output.json"))])
def test_page_gives_exactly(case: Path) -> None:
    source, page = load(case)
    expected = json.loads((case / "output.json").read_text(encoding="utf-8"))
    assert output(source.read(page)) == expected


@pytest.mark.parametrize("case", [pytest.param(file.parent, id=file.parent.name) for file in sorted(PAGES.glob("*/error.txt"))])
def test_page_raises(case: Path) -> None:
    source, page = load(case)
    name, message = (case / "error.txt").read_text(encoding="utf-8").strip().split("\n", 1)
    with pytest.raises(getattr(cinegraph_core, name), match=re.escape(message)):
        source.read(page)


def test_every_case_has_one_input_and_one_expectation() -> None:
    for case in PAGES.iterdir():
        files = {file.name for file in case.iterdir()}
        assert files in ({"input.html", "output.json"}, {"input.html", "error.txt"}), case.name
