"""Spider arguments: what every source understands, and what a wrong one is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from cinegraph_core.contracts import EditionPlan, PageResult, Source
from cinegraph_core.crawling.arguments import only_missing, plan
from cinegraph_core.errors import UsageError
from cinegraph_festivals import venice
from cinegraph_festivals.arguments import this_year


def _plan(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    if set(arguments) - {"year"}:
        raise UsageError(f"paper: unknown argument {sorted(arguments)}")
    yield EditionPlan("paper", int(arguments["year"]), ())


PAPER = Source("paper", _plan, lambda page: PageResult(), {"year": "the edition"}, {"paper": "Paper Festival"}, ())


def test_years_are_spelt_out_for_a_source_that_knows_only_year() -> None:
    assert [edition.year for edition in plan(PAPER, {"years": "2019-2021,2024"})] == [2019, 2020, 2021, 2024]


@pytest.mark.parametrize("text", ["2024,2023", "2023 - 2024", " 2024 , 2023 ", "2023-2024,2024"])
def test_every_source_understands_the_same_years(text: str) -> None:
    for source in (PAPER, venice.source()):
        assert {edition.year for edition in plan(source, {"years": text})} == {2023, 2024}


def test_missing_alone_is_every_year_of_a_source_that_knows_it() -> None:
    years = [edition.year for edition in plan(venice.source(), {"missing": "TRUE"})]
    assert years == list(range(1932, this_year() + 1))
    with pytest.raises(UsageError, match=r"say which edition .* or missing=true"):
        plan(venice.source(), {"missing": "no"})


def test_missing_is_ours_and_not_the_sources() -> None:
    assert [edition.year for edition in plan(PAPER, {"year": "2024", "missing": "true", "withdraw": "yes"})] == [2024]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"years": "2024-2019"}, "2019-2024"),
        ({"years": "lately"}, "2019-2024"),
        ({"years": "2019-2021", "year": "2020"}, "not both"),
        ({"yaer": "2024"}, "unknown argument"),
        ({"year": "2024", "missing": "perhaps"}, "neither true nor false"),
        ({"year": "2024", "withdraw": "some"}, "withdraw='some' is neither true nor false"),
    ],
)
def test_a_wrong_argument_is_told_what_is_right(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan(PAPER, arguments)


def test_missing_is_true_or_false() -> None:
    assert only_missing({"missing": "True"})
    assert not only_missing({"missing": "no"})
    assert not only_missing({})
    with pytest.raises(UsageError, match="neither true nor false"):
        only_missing({"missing": "perhaps"})
