"""What the replica answers as La Biennale's site and as IMDb's."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from parsel import Selector

from cinegraph_replica.catalogue import Catalogue, load_catalogue
from cinegraph_replica.services.venice import ordinal


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("year", [2022, 2023, 2024])
def test_every_venice_section_has_a_page_with_a_card_per_film(client: httpx.Client, catalogue: Catalogue, year: int) -> None:
    edition = catalogue.edition("venice", year)
    assert edition is not None
    for section in edition.sections:
        page = Selector(client.get(f"/venice/en/cinema/{year}/{section.slug}").text)
        assert str(year) in page.css("title::text").get("")
        keys = [link.split("/")[-1] for link in page.css("article.node-film a.lb-entry-link::attr(href)").getall()]
        assert keys == [*section.films, *section.shorts]
        titles = [title.strip() for title in page.css("article.node-film .lb-item-title::text").getall()]
        assert titles == [catalogue.films[key].as_printed for key in keys]
        assert len(page.css("article .lb-item-title")) > len(keys), "a page without traps proves nothing"


def test_venice_knows_no_other_section_and_no_other_year(client: httpx.Client) -> None:
    for path in (
        "cinema/2024/final-cut",
        "cinema/1999/orizzonti",
        "news/official-awards-12th-venice-international-film-festival",
    ):
        assert client.get(f"/venice/en/{path}").status_code == 404


def test_venice_awards_page_has_a_paragraph_per_award(client: httpx.Client, catalogue: Catalogue) -> None:
    edition = catalogue.edition("venice", 2024)
    assert edition is not None
    page = Selector(client.get("/venice/en/news/official-awards-81st-venice-international-film-festival").text)
    texts = [" ".join(part.css("::text").getall()) for part in page.css("main > p")]
    assert len(texts) == len(edition.awards)
    assert [" ".join(text.split()) for text in texts][3].startswith(
        "COPPA VOLPI for Best Actress : Nicole Kidman in the film BABYGIRL"
    )


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (11, "11th"), (80, "80th"), (81, "81st"), (82, "82nd"), (83, "83rd"), (112, "112th")]
)
def test_editions_are_numbered_in_english(number: int, text: str) -> None:
    assert ordinal(number) == text


def event_data(client: httpx.Client, path: str) -> dict[str, Any]:
    page = client.get(f"/imdb/event/{path}").text
    found = re.search(r'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>', page)
    assert found
    data: dict[str, Any] = json.loads(found[1])["props"]["pageProps"]
    return data


def nominations(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"award": award["text"], "category": (category["node"]["category"] or {}).get("text"), **edge["node"]}
        for award in data["edition"]["awards"]
        for category in award["nominationCategories"]["edges"]
        for edge in category["node"]["nominations"]["edges"]
    ]


def test_imdb_event_pages_hold_every_award_of_a_film_that_has_an_id(client: httpx.Client, catalogue: Catalogue) -> None:
    for edition in catalogue.editions:
        data = event_data(client, f"{edition.event_id}/{edition.year}/{edition.instance}/")
        expected = [a for a in edition.awards if a.film is None or catalogue.films[a.film].imdb_id]
        winners = [nomination for nomination in nominations(data) if nomination["isWinner"]]
        assert len(winners) == len(expected), (edition.festival, edition.year)
        assert data["editionInfo"]["year"] == edition.year


def test_imdb_nominations_come_in_the_shapes_of_the_real_page(client: httpx.Client) -> None:
    found = nominations(event_data(client, "ev0000681/2023/1/"))
    golden = [n for n in found if (n["award"], n["category"]) == ("Golden Lion", "Best Film")]
    assert len(golden) > 5
    assert [n["awardedEntities"]["awardTitles"][0]["title"]["id"] for n in golden if n["isWinner"]] == ["tt14230458"]
    (actress,) = [n["awardedEntities"] for n in found if n["category"] == "Best Actress"]
    assert actress["__typename"] == "AwardedNames"
    assert actress["awardNames"][0]["name"]["nameText"]["text"] == "Cailee Spaeny"
    assert actress["secondaryAwardTitles"][0]["title"]["titleText"]["text"] == "Priscilla"
    career = [n for n in found if n["award"] == "Career Golden Lion"]
    assert [(n["category"], n["awardedEntities"]["secondaryAwardTitles"]) for n in career] == [(None, None)] * 2
    companies = [n["awardedEntities"]["secondaryAwardCompanies"] for n in nominations(event_data(client, "ev0000147/2024/1/"))]
    assert [entry[0]["company"]["companyText"]["text"] for entry in companies if entry] == ["Studio Ghibli"]


def test_imdb_event_without_awards_is_a_page_and_an_unknown_year_is_404(client: httpx.Client) -> None:
    empty = event_data(client, "ev0000147/2020/1/")
    assert empty["edition"]["awards"] == []
    assert {2020, 2022, 2023, 2024} == {edition["year"] for edition in empty["historyEventEditions"]}
    for path in ("ev0000147/1948/1/", "ev0000681/2024/2/", "ev9999999/2024/1/", "venice/2024/1/", "ev9999999/"):
        assert client.get(f"/imdb/event/{path}").status_code == 404


def test_imdb_bare_event_leads_to_the_latest_edition(client: httpx.Client) -> None:
    answer = client.get("/imdb/event/ev0000681/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/imdb/event/ev0000681/2024/1/")


def test_imdb_graphql_gives_editions_and_awards_to_named_clients_only(client: httpx.Client) -> None:
    def ask(query: str, **variables: str) -> httpx.Response:
        headers = {"x-imdb-client-name": "imdb-web-next"}
        return client.post("/imdb_graphql/", json={"query": query, "variables": variables}, headers=headers)

    event = ask('{ nominationEvent(id: "ev0000681") { name { text } editions { id year } } }').json()["data"]["nominationEvent"]
    latest = event["editions"][0]
    edition = ask("query($id: ID!) { nominationEventEdition(id: $id) { awards { text } } }", id=latest["id"]).json()
    assert latest["year"] == 2024
    assert "Golden Lion" in [award["text"] for award in edition["data"]["nominationEventEdition"]["awards"]]
    assert ask("{ title }").status_code == 400
    assert client.post("/imdb_graphql", json={}).status_code == 403
