"""What a crawl says of many editions: one line each for those that are not there, however many years they are."""

from __future__ import annotations

import pytest

from cinegraph_core.crawling.tally import Tally, spans
from cinegraph_core.records import Edition, Page

GONE = Page("venice_official", "https://x.org/a", "error", "HTTP 404, like every page of the edition")
NONE = Page("imdb_event", "https://x.org/e", "absent", "HTTP 404")


def test_years_without_an_edition_are_one_line() -> None:
    tally = Tally()
    for year in (1933, 1940, 1941, 1942):
        tally.note(Edition("venice", year, pages=(NONE,)), vanished=False, empty=True)
    assert list(tally.lines()) == ["venice 1933, 1940–1942: no source has anything of it"]
    assert tally.is_empty


def test_years_whose_pages_have_all_gone_are_one_line_with_an_address() -> None:
    tally = Tally()
    tally.note(Edition("venice", 1990, pages=(GONE, GONE)), vanished=True, empty=False)
    tally.note(Edition("venice", 1991, pages=(GONE, GONE)), vanished=True, empty=False)
    (line,) = tally.lines()
    assert line.startswith("venice 1990–1991: none of its pages is there, so their addresses may have changed")
    assert "https://x.org/a" in line
    assert GONE.detail not in line, "it says the same"
    assert not tally.is_empty


def test_nothing_planned_is_not_empty() -> None:
    assert not Tally().is_empty


@pytest.mark.parametrize(
    ("years", "text"), [([2024], "2024"), ([2023, 2024], "2023–2024"), ([2024, 2019, 2020], "2019–2020, 2024")]
)
def test_years_in_a_row_are_a_span(years: list[int], text: str) -> None:
    assert spans(years) == text
