"""Spider arguments become editions and pages; a wrong one is an error that names the right ones."""

from __future__ import annotations

import pytest

from cinegraph_core import ServiceSpec, UsageError
from cinegraph_festivals import imdb, venice
from cinegraph_festivals.arguments import this_year
from cinegraph_festivals.venice.edition import edition_number, ordinal


def test_venice_asks_the_official_pages_first_and_imdb_last() -> None:
    (plan,) = venice.plan({"year": "2024"})
    assert (plan.festival, plan.year, plan.instance) == ("venice", 2024, 1)
    assert [page.path for page in plan.pages] == [
        "/en/cinema/2024/venezia-81-competition",
        "/en/cinema/2024/out-of-competition",
        "/en/cinema/2024/out-competition",
        "/en/cinema/2024/venice-spotlight",
        "/en/cinema/2024/orizzonti",
        "/en/cinema/2024/orizzonti-extra",
        "/en/cinema/2024/venice-classics",
        "/en/cinema/2024/biennale-college-cinema",
        "/en/news/official-awards-81st-venice-international-film-festival",
        "/event/ev0000681/2024/1/",
    ]
    assert {(page.service, page.statement) for page in plan.pages} == {("venice", "venice_official"), ("imdb", "imdb_event")}
    assert not any(page.required for page in plan.pages)
    assert [page.operation for page in plan.pages[-3:]] == ["fetch_lineup", "fetch_awards", "fetch_event"]


def test_via_forces_one_source() -> None:
    (official,) = venice.plan({"year": "2024", "via": "official"})
    (second,) = venice.plan({"year": "2024", "via": "imdb"})
    assert {page.service for page in official.pages} == {"venice"}
    assert [(page.service, page.required) for page in second.pages] == [("imdb", False)]


def test_a_year_before_the_count_is_asked_of_imdb_alone() -> None:
    (plan,) = venice.plan({"year": "1972"})
    assert [page.path for page in plan.pages] == ["/event/ev0000681/1972/1/"]


def test_missing_alone_means_every_year_that_can_be_asked_for() -> None:
    assert [plan.year for plan in venice.plan({"missing": "true"})] == list(range(1932, this_year() + 1))
    assert [plan.year for plan in venice.plan({"missing": "true", "via": "official"})] == list(range(1979, this_year() + 1))
    assert [plan.year for plan in venice.plan({"year": str(this_year() + 1)})] == [this_year() + 1]


def test_a_year_without_official_pages_is_a_wrong_argument_of_via_official() -> None:
    with pytest.raises(UsageError, match=r"no official pages of 1950.*since 1979.*via=imdb"):
        list(venice.plan({"year": "1950", "via": "official"}))


def test_an_imdb_event_is_one_page_per_year_which_a_year_without_an_edition_lacks() -> None:
    plans = list(imdb.plan({"event": "EV0000147", "year": "2023"}))
    assert [(plan.festival, plan.year) for plan in plans] == [("cannes", 2023)]
    (page,) = plans[0].pages
    assert (page.path, page.operation, page.statement, page.required) == (
        "/event/ev0000147/2023/1/",
        "fetch_event",
        "imdb_event",
        False,
    )


def test_an_unknown_event_is_stored_under_its_id() -> None:
    (plan,) = imdb.plan({"event": "ev0001234", "year": "1930", "instance": "2"})
    assert (plan.festival, plan.instance) == ("ev0001234", 2)
    assert plan.pages[0].path == "/event/ev0001234/1930/2/"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "year=2024 or years=2022-2024"),
        ({"yaer": "2024"}, "did you mean 'year'.*year, years, missing, via"),
        ({"year": "1931"}, "from 1932 to"),
        ({"year": "next"}, "year=next is not a year"),
        ({"year": "2024", "via": "wikipedia"}, "one of official, imdb, both"),
    ],
)
def test_a_wrong_argument_of_venice_names_the_right_ones(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(venice.plan(arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"year": "2024"}, r"an event id is missing.*ev0000681 \(venice\)"),
        ({"event": "venice", "year": "2024"}, "event=venice is not an event id"),
        ({"event": "ev0000681"}, "year=2024 or years=2022-2024"),
        ({"event": "ev0000681", "year": "2024", "instance": "0"}, "instance=0"),
        ({"list": "ls024863935"}, "lists cannot be read yet.*event=ev0000681"),
        ({"events": "ev0000681"}, "did you mean 'event'"),
    ],
)
def test_a_wrong_argument_of_imdb_names_the_right_ones(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(imdb.plan(arguments))


def test_edition_numbers_and_their_endings() -> None:
    assert [(edition_number(year), ordinal(edition_number(year) or 0)) for year in (2024, 2025, 2026, 2027, 2033, 2054)] == [
        (81, "81st"),
        (82, "82nd"),
        (83, "83rd"),
        (84, "84th"),
        (90, "90th"),
        (111, "111th"),
    ]
    assert edition_number(1979) == 36
    assert edition_number(1978) is None


def test_the_plugins_register_their_services_and_sources() -> None:
    specs: list[ServiceSpec] = [*venice.service(), *imdb.service()]
    assert {(spec.name, spec.kind, spec.base_url) for spec in specs} == {
        ("venice", "site", "https://www.labiennale.org"),
        ("imdb", "site", "https://www.imdb.com"),
        ("imdb_graphql", "api", "https://api.graphql.imdb.com"),
    }
    for source in (venice.source(), imdb.source()):
        assert set(source.services) <= {spec.name for spec in specs}
        assert "venice" in source.festivals
