"""What the replica answers as TMDb and as OMDb."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.replica import KEY


def search(client: httpx.Client, query: str, **parameters: Any) -> list[str]:
    answer = client.get("/tmdb/3/search/movie", params={**KEY, "query": query, **parameters})
    return [hit["title"] for hit in answer.json()["results"]]


def test_tmdb_refuses_a_missing_and_a_bad_key_and_takes_a_bearer(client: httpx.Client) -> None:
    refused = {"success": False, "status_code": 7, "status_message": "Invalid API key: You must be granted a valid key."}
    for parameters in ({}, {"api_key": "bad"}):
        answer = client.get("/tmdb/3/movie/1151244", params=parameters)
        assert (answer.status_code, answer.json()) == (401, refused)
    assert client.get("/tmdb/3/movie/1151244", headers={"Authorization": "Bearer token"}).status_code == 200


def test_tmdb_search_wants_every_word_and_forgives_case_accents_and_an_unfinished_last_word(client: httpx.Client) -> None:
    assert search(client, "the ROOM next doo") == ["The Room Next Door"]
    assert search(client, "habitacion de al lado") == ["The Room Next Door"]
    assert search(client, "悪は存在しない") == ["Evil Does Not Exist"]
    assert search(client, "The Room Next Dxor") == []
    assert search(client, "Room Door Window") == []
    assert search(client, "") == []


def test_tmdb_search_by_year_keeps_that_year(client: httpx.Client) -> None:
    assert sorted(search(client, "Pusher")) == ["Pusher", "Pusher"]
    assert search(client, "Pusher", year=1996) == ["Pusher"]
    assert search(client, "Pusher", primary_release_year=2003) == []


def test_tmdb_search_is_paged_and_refuses_a_page_that_cannot_be(client: httpx.Client) -> None:
    first = client.get("/tmdb/3/search/movie", params={**KEY, "query": "the"}).json()
    last = client.get("/tmdb/3/search/movie", params={**KEY, "query": "the", "page": first["total_pages"]}).json()
    assert len(first["results"]) == 20
    assert (first["total_pages"] - 1) * 20 + len(last["results"]) == first["total_results"]
    for page in ("0", "501", "x"):
        answer = client.get("/tmdb/3/search/movie", params={**KEY, "query": "the", "page": page})
        assert (answer.status_code, answer.json()["status_code"]) == (400, 22)


def test_tmdb_find_by_imdb_id(client: httpx.Client) -> None:
    found = client.get("/tmdb/3/find/tt28618488", params={**KEY, "external_source": "imdb_id"}).json()
    assert [hit["id"] for hit in found["movie_results"]] == [1151244]
    assert client.get("/tmdb/3/find/tt0000001", params=KEY).json()["movie_results"] == []


def test_tmdb_details_carry_what_is_asked_for(client: httpx.Client) -> None:
    parts = "alternative_titles,credits,translations,external_ids,release_dates"
    film = client.get("/tmdb/3/movie/1156125", params={**KEY, "append_to_response": parts}).json()
    assert (film["title"], film["original_title"], film["runtime"]) == ("Evil Does Not Exist", "悪は存在しない", 106)
    assert [person["name"] for person in film["credits"]["crew"]] == ["Ryūsuke Hamaguchi"]
    assert "Aku wa sonzai shinai" in [other["title"] for other in film["alternative_titles"]["titles"]]
    assert film["external_ids"]["imdb_id"] == film["imdb_id"] == "tt28490044"
    assert film["release_dates"]["results"][0]["release_dates"][0]["release_date"].startswith("2023-")
    bare = client.get("/tmdb/3/movie/1156125", params=KEY).json()
    assert not set(parts.split(",")) & set(bare)


def test_tmdb_has_films_without_a_release_date(client: httpx.Client) -> None:
    film = client.get("/tmdb/3/movie/1121652", params={**KEY, "append_to_response": "release_dates"}).json()
    assert (film["title"], film["release_date"], film["release_dates"]) == ("Harvest", "", {"results": []})
    assert search(client, "Harvest") == ["Harvest"]
    assert search(client, "Harvest", year=2024) == []


def test_tmdb_says_404_for_what_it_does_not_know(client: httpx.Client) -> None:
    for path in ("movie/1", "movie/abc", "person/1/movie_credits"):
        answer = client.get(f"/tmdb/3/{path}", params=KEY)
        assert (answer.status_code, answer.json()["status_code"]) == (404, 34)


def test_tmdb_people_lead_to_their_films(client: httpx.Client) -> None:
    hits = client.get("/tmdb/3/search/person", params={**KEY, "query": "hamaguchi ryusuke"}).json()["results"]
    assert [hit["name"] for hit in hits] == ["Ryūsuke Hamaguchi"]
    career = client.get(f"/tmdb/3/person/{hits[0]['id']}/movie_credits", params=KEY).json()
    assert [film["id"] for film in career["crew"]] == [1156125]


def test_omdb_answers_by_id_and_by_title_and_says_its_errors_its_own_way(client: httpx.Client) -> None:
    def ask(**parameters: str) -> tuple[int, dict[str, Any]]:
        answer = client.get("/omdb/", params=parameters)
        return answer.status_code, answer.json()

    assert ask(apikey="k", i="tt28618488")[1]["Director"] == "Maura Delpero"
    assert ask(apikey="k", t="Vermiglio", y="2024")[1]["imdbID"] == "tt28618488"
    assert ask(apikey="k", i="tt0000001") == (200, {"Response": "False", "Error": "Movie not found!"})
    assert ask(apikey="k", i="28618488") == (200, {"Response": "False", "Error": "Incorrect IMDb ID."})
    assert ask(i="tt28618488") == (401, {"Response": "False", "Error": "Invalid API key!"})
    assert client.get("/omdb", params={"apikey": "k", "t": "Nobody made this"}).json()["Response"] == "False"
