"""An edition is whole when its last page has answered or failed, and says of each what became of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cinegraph_core.contracts import EditionPlan, PageRequest, PageResult
from cinegraph_core.crawling.gathering import Gathering, is_empty, outcome_of
from cinegraph_core.crawling.robots import RobotsForbiddenError, RobotsUnreachableError
from cinegraph_core.errors import (
    AuthError,
    BlockedError,
    LayoutChangedError,
    NoDataError,
    NotFoundError,
    ParseError,
    ServerError,
)
from cinegraph_core.records import Nomination, Statement


def _page(path: str, *, required: bool = True) -> PageRequest:
    return PageRequest("venice", path, "fetch_lineup", "venice_official", required=required)


def _nomination(key: str) -> Nomination:
    return Nomination(key, Statement("venice_official", "https://x.org/a", "card", datetime(2026, 1, 1, tzinfo=UTC), "mock"))


def _gathering(*pages: PageRequest) -> tuple[Gathering, list[int]]:
    gathering = Gathering(EditionPlan("venice", 2024, pages), this_year=2026)
    return gathering, [ticket for ticket, _ in gathering.ask(pages)]


def test_nominations_stand_in_the_order_of_asking_not_of_arrival() -> None:
    gathering, (first, second) = _gathering(_page("/a"), _page("/b"))
    gathering.answered(second, "https://x.org/b", PageResult((_nomination("2"),), number=81))
    early = gathering.whole
    gathering.answered(first, "https://x.org/a", PageResult((_nomination("1"),), name="Biennale Cinema 2024"))
    assert (early, gathering.whole) == (False, True)
    edition = gathering.edition()
    assert [nomination.key for nomination in edition.nominations] == ["1", "2"]
    assert (edition.number, edition.name, edition.instance) == (81, "Biennale Cinema 2024", 1)
    assert [(page.url, page.outcome, page.nominations) for page in edition.pages] == [
        ("https://x.org/a", "ok", 1),
        ("https://x.org/b", "ok", 1),
    ]
    assert edition.complete


def test_an_edition_is_not_whole_before_its_last_request_has_left() -> None:
    gathering = Gathering(EditionPlan("venice", 2024, ()), this_year=2026)
    asked = gathering.ask([_page("/a"), _page("/b")])
    gathering.answered(asked[0][0], "https://x.org/a", PageResult())
    assert not gathering.whole


def test_a_page_is_asked_for_once_however_often_it_is_named() -> None:
    gathering, _ = _gathering(_page("/a"), _page("/b"))
    assert [page.path for _, page in gathering.ask([_page("/b"), _page("/c"), _page("/c")])] == ["/c"]


@pytest.mark.parametrize(
    ("error", "required", "outcome"),
    [
        (NotFoundError("HTTP 404"), True, "error"),
        (NotFoundError("HTTP 404"), False, "absent"),
        (NoDataError("no edition in 1948"), True, "no_data"),
        (BlockedError("a challenge page"), True, "blocked"),
        (AuthError("HTTP 403"), True, "blocked"),
        (RobotsForbiddenError("robots.txt"), True, "blocked"),
        (LayoutChangedError("no cards"), True, "layout_changed"),
        (ParseError("a year that is none"), True, "error"),
        (ServerError("HTTP 503"), False, "error"),
        (RobotsUnreachableError(ServerError("HTTP 503")), True, "error"),
        (KeyError("films"), True, "error"),
    ],
)
def test_lesson_16_each_error_has_its_own_outcome(error: Exception, required: bool, outcome: str) -> None:
    found, detail = outcome_of(error, required=required)
    assert found == outcome
    assert detail


def test_robots_errors_name_the_type_of_their_cause() -> None:
    assert outcome_of(RobotsUnreachableError(ServerError("HTTP 503")), required=True)[1].startswith("server_error: robots.txt")
    assert outcome_of(RobotsForbiddenError("x"), required=True)[1] == "robots.txt forbids it"


def test_a_section_that_is_absent_is_no_error_if_another_answered() -> None:
    gathering, (first, second) = _gathering(_page("/a", required=False), _page("/b", required=False))
    gathering.failed(first, "https://x.org/a", NotFoundError("HTTP 404"))
    gathering.answered(second, "https://x.org/b", PageResult((_nomination("1"),)))
    assert [page.outcome for page in gathering.edition().pages] == ["absent", "ok"]
    assert gathering.edition().complete


def test_an_edition_of_which_no_page_exists_is_empty() -> None:
    gathering, (first, second) = _gathering(_page("/a"), _page("/b", required=False))
    gathering.failed(first, "https://x.org/a", NoDataError("there was none"))
    gathering.failed(second, "https://x.org/b", NotFoundError("HTTP 404"))
    assert is_empty(gathering.edition())


def test_a_lone_page_that_need_not_exist_and_does_not_means_no_edition() -> None:
    gathering, (ticket,) = _gathering(_page("/a", required=False))
    gathering.failed(ticket, "https://x.org/a", NotFoundError("HTTP 404"))
    assert is_empty(gathering.edition())


def _all_absent(year: int, *, is_rest: bool = False) -> Gathering:
    gathering = Gathering(EditionPlan("venice", year, ()), this_year=2026, is_rest=is_rest)
    for ticket, page in gathering.ask([_page("/a", required=False), _page("/b", required=False)]):
        gathering.failed(ticket, f"https://x.org{page.path}", NotFoundError("HTTP 404"))
    return gathering


def test_lesson_16_when_every_page_of_a_past_edition_is_absent_their_addresses_may_have_changed() -> None:
    gathering = _all_absent(2025)
    assert gathering.vanished
    edition = gathering.edition()
    assert [page.outcome for page in edition.pages] == ["error", "error"]
    assert all("their addresses may have changed" in page.detail for page in edition.pages)
    assert not edition.complete
    assert not is_empty(edition)


def test_pages_that_a_stored_edition_lacked_and_that_do_not_exist_say_nothing_of_the_others() -> None:
    gathering = _all_absent(2025, is_rest=True)
    assert (gathering.vanished, gathering.is_empty) == (False, False)
    assert [page.outcome for page in gathering.edition().pages] == ["absent", "absent"]


@pytest.mark.parametrize("year", [2026, 2027])
def test_an_edition_that_is_still_to_come_has_no_pages_yet(year: int) -> None:
    gathering = _all_absent(year)
    assert not gathering.vanished
    assert is_empty(gathering.edition())


def test_lesson_16_a_page_that_could_not_be_read_never_makes_an_edition_empty() -> None:
    gathering, (first, second) = _gathering(_page("/a"), _page("/b", required=False))
    gathering.failed(first, "https://x.org/a", BlockedError("a challenge page"))
    gathering.failed(second, "https://x.org/b", NotFoundError("HTTP 404"))
    assert not is_empty(gathering.edition())
    assert not gathering.edition().complete


def test_lesson_17_a_page_cut_short_leaves_the_edition_partial() -> None:
    gathering, (ticket,) = _gathering(_page("/a"))
    gathering.answered(ticket, "https://x.org/a", PageResult((_nomination("1"),), truncated="250 of 300 came"))
    edition = gathering.edition()
    assert [(page.outcome, page.detail, page.nominations) for page in edition.pages] == [("error", "250 of 300 came", 1)]
    assert len(edition.nominations) == 1
    assert not edition.complete
