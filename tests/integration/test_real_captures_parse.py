"""Every real capture beside the project is read whole, counted against the capture itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core import NoDataError, Nomination, PageResult
from cinegraph_festivals import imdb, venice
from cinegraph_festivals.imdb.event import read_event as read_event_page
from tests.support.captures import (
    EventCapture,
    challenge_page,
    event_captures,
    old_layout_page,
    page_input,
    pages_tree,
    rewrapped_2022,
    venice_awards_page,
    venice_excerpt,
    venice_lineup_page,
)


def read_event(event: str, year: int, page: str) -> PageResult:
    (plan,) = imdb.plan({"event": event, "year": str(year)})
    return read_event_page(page_input(plan.pages[0], page))


def read_venice(operation: str, year: int, page: str) -> PageResult:
    (plan,) = venice.plan({"year": str(year)})
    request = next(request for request in plan.pages if request.operation == operation)
    return venice.read(page_input(request, page))


@pytest.fixture(scope="session")
def captures(shared: Path) -> list[tuple[EventCapture, PageResult]]:
    found = event_captures(shared)
    return [(capture, read_event(capture.event, capture.year, old_layout_page(capture.text))) for capture in found]


def nominees(nomination: Mapping[str, Any], prefix: str) -> list[str]:
    every = nomination["primaryNominees"] + nomination["secondaryNominees"]
    return [nominee["const"] for nominee in every if nominee["const"].startswith(prefix)]


def by_key(result: PageResult) -> dict[str, Nomination]:
    return {nomination.key: nomination for nomination in result.nominations}


def test_nine_captures_hold_1277_nominations_and_every_one_is_read(captures: list[tuple[EventCapture, PageResult]]) -> None:
    for capture, result in captures:
        printed = [nomination["awardNominationId"] for nomination in capture.nominations]
        assert [nomination.key for nomination in result.nominations] == printed
    assert len(captures) == 9
    assert sum(len(result.nominations) for _, result in captures) == 1277


def test_films_people_companies_and_winners_of_every_nomination_equal_the_capture(
    captures: list[tuple[EventCapture, PageResult]],
) -> None:
    kinds: Counter[str] = Counter()
    for capture, result in captures:
        read = by_key(result)
        for printed in capture.nominations:
            nomination = read[printed["awardNominationId"]]
            people = [person for person in nomination.people if person.kind == "person"]
            companies = [person for person in nomination.people if person.kind == "company"]
            assert [film.imdb_id for film in nomination.films] == nominees(printed, "tt")
            assert [person.imdb_id for person in people] == nominees(printed, "nm")
            assert [person.imdb_id for person in companies] == nominees(printed, "co")
            assert (nomination.award, nomination.category) == (printed["awardName"], printed["categoryName"])
            assert nomination.is_winner is printed["isWinner"]
            kinds.update(films=len(nomination.films), people=len(people), companies=len(companies))
    assert kinds == {"films": 1224, "people": 1701, "companies": 1}


def test_the_nomination_without_film_or_person_is_kept(captures: list[tuple[EventCapture, PageResult]]) -> None:
    empty = [
        nomination for _, result in captures for nomination in result.nominations if not nomination.films + nomination.people
    ]
    assert [(nomination.award, nomination.is_winner) for nomination in empty] == [("Young Cinema Award", True)]


def test_titles_and_original_titles_are_those_of_the_capture(captures: list[tuple[EventCapture, PageResult]]) -> None:
    for capture, result in captures:
        read = by_key(result)
        for printed in capture.nominations:
            every = printed["primaryNominees"] + printed["secondaryNominees"]
            titles = [(one["name"], one["originalName"]) for one in every if one["const"].startswith("tt")]
            films = read[printed["awardNominationId"]].films
            assert [(film.title, film.original_title) for film in films] == [
                (" ".join(title.split()), " ".join(original.split()) if original else None) for title, original in titles
            ]


def test_no_acting_writing_or_producing_nominee_becomes_a_director(captures: list[tuple[EventCapture, PageResult]]) -> None:
    for capture, result in captures:
        for nomination in result.nominations:
            named = {name for film in nomination.films for name in film.directors}
            label = f"{nomination.award} / {nomination.category}"
            if named and any(
                word in label for word in ("Act", "Screenplay", "Soundtrack", "Composer", "Stunt", "Picture", "Dog")
            ):
                pytest.fail(f"{capture.event} {capture.year}: {label} names {named} as directors")


def test_the_rewrapped_page_of_the_layout_since_2024_is_read_whole(shared: Path) -> None:
    page = rewrapped_2022(shared)
    start = page.index('{"props"')
    payload, _ = json.JSONDecoder().raw_decode(page, start)
    awards = payload["props"]["pageProps"]["edition"]["awards"]
    nodes = [
        (award["text"], category["node"]["category"], nomination["node"])
        for award in awards
        for category in award["nominationCategories"]["edges"]
        for nomination in category["node"]["nominations"]["edges"]
    ]
    result = read_event("ev0000681", 2022, page)
    assert len(result.nominations) == len(nodes) == 229
    assert len(by_key(result)) == len(nodes)
    for (award, category, node), nomination in zip(nodes, result.nominations, strict=True):
        entities = node["awardedEntities"]
        titles = [*(entities.get("awardTitles") or ()), *(entities.get("secondaryAwardTitles") or ())]
        names = [*(entities.get("awardNames") or ()), *(entities.get("secondaryAwardNames") or ())]
        assert [film.imdb_id for film in nomination.films] == [title["title"]["id"] for title in titles]
        assert [person.imdb_id for person in nomination.people] == [name["name"]["id"] for name in names]
        assert (nomination.award, nomination.category) == (award, category["text"] if category else None)
        assert nomination.is_winner is node["isWinner"]
    assert result.truncated == ""


def test_the_real_challenge_page_is_blocked(shared: Path) -> None:
    (plan,) = imdb.plan({"event": "ev0000681", "year": "2024"})
    spec = next(spec for spec in imdb.service() if spec.name == "imdb")
    answer = page_input(plan.pages[0], challenge_page(shared), status=202).answer
    assert spec.judge is not None
    error = spec.judge(answer)
    assert error is not None
    assert error.error_type == "blocked"


@pytest.mark.parametrize("name", ["gavrevnik_2026-10/venice-selection.html", "runscars_2026-09/venice-film.html"])
def test_venice_film_cards_are_read(shared: Path, name: str) -> None:
    excerpt = venice_excerpt(shared, name)
    result = read_venice("fetch_lineup", 2026, venice_lineup_page(excerpt, 2026))
    assert len(result.nominations) == excerpt.count("<article")
    (selection,) = result.nominations
    (film,) = selection.films
    assert selection.section == "competition"
    assert selection.key in excerpt
    assert film.title in excerpt
    assert ", ".join(film.directors) in excerpt
    assert f"{film.countries[0]} / {film.runtime_minutes}" in excerpt


@pytest.mark.parametrize("name", ["gavrevnik_2026-10/venice-awards.html", "runscars_2026-09/venice-news-awards.html"])
def test_every_venice_award_paragraph_is_read(shared: Path, name: str) -> None:
    excerpt = venice_excerpt(shared, name)
    result = read_venice("fetch_awards", 2026, venice_awards_page(excerpt, 2026))
    assert len(result.nominations) == excerpt.count("<p>")
    for nomination in result.nominations:
        (film,) = nomination.films
        assert nomination.award is not None
        assert nomination.award in excerpt
        assert nomination.is_winner
        assert film.title in excerpt
        assert film.directors
        assert nomination.people


def test_the_tree_of_pages_has_one_file_per_capture(shared: Path, tmp_path: Path) -> None:
    files = {str(file.relative_to(tmp_path)) for file in pages_tree(shared, tmp_path).rglob("*.html")}
    assert len(files) == 12
    assert {"imdb/event/ev0000147/2020/1.html", "venice/en/cinema/2026/venezia-83-competition.html"} < files


def test_an_emptied_capture_is_no_data_and_never_an_empty_edition(shared: Path) -> None:
    payload = json.loads(event_captures(shared)[0].text)
    payload["nomineesWidgetModel"]["eventEditionSummary"]["awards"] = []
    with pytest.raises(NoDataError, match="no nominations"):
        read_event("ev0000003", 2019, old_layout_page(json.dumps(payload)))
