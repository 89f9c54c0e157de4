"""The replica over real HTTP: what each service answers, what every fault does, and that the counts are exact."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from parsel import Selector

from cinegraph_core.errors import ConfigurationError, UsageError
from cinegraph_replica import SERVICES, serve, start
from cinegraph_replica.catalogue import Catalogue, load_catalogue
from cinegraph_replica.faults import KINDS, Fault, parse_fault
from cinegraph_replica.server import ReplicaServer
from cinegraph_replica.services.venice import ordinal

KEY = {"api_key": "any"}


@pytest.fixture(scope="module")
def server() -> Iterator[ReplicaServer]:
    with ReplicaServer() as running:
        yield running


@pytest.fixture
def client(server: ReplicaServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.origin, timeout=5) as opened:
        opened.post("/__reset")
        yield opened


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def fault(client: httpx.Client, service: str, kind: str | None, **fields: Any) -> None:
    client.post("/__faults", json={"service": service, "kind": kind, **fields}).raise_for_status()


def counts(client: httpx.Client) -> dict[str, int]:
    found: dict[str, int] = client.get("/__stats").json()["counts"]
    return found


def search(client: httpx.Client, query: str, **parameters: Any) -> list[str]:
    answer = client.get("/tmdb/3/search/movie", params={**KEY, "query": query, **parameters})
    return [hit["title"] for hit in answer.json()["results"]]


# ---------------------------------------------------------------------------------------------------- the server


def test_start_is_quick_and_starts_one_server_per_process_with_every_service() -> None:
    before = time.monotonic()
    urls = start()
    assert time.monotonic() - before < 2
    assert start() == urls
    assert set(urls) == set(SERVICES)
    assert httpx.get(f"{urls['tmdb']}/robots.txt").status_code == 200


def test_start_leaves_signal_handlers_alone() -> None:
    before = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    with ReplicaServer():
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_stop_does_not_wait_for_connections_that_hang() -> None:
    with ReplicaServer() as running:
        httpx.post(f"{running.origin}/__faults", json={"service": "tmdb", "kind": "hang"})
        with socket.create_connection(("127.0.0.1", int(running.origin.rpartition(":")[2]))) as hanging:
            hanging.sendall(b"GET /tmdb/3/movie/1 HTTP/1.1\r\nHost: x\r\n\r\n")
            before = time.monotonic()
            running.stop()
    assert time.monotonic() - before < 3


def test_serve_takes_faults_and_ends_on_ctrl_c() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"from cinegraph_replica import serve; serve({port}, ['tmdb=503'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        patience = time.monotonic() + 20
        while True:
            try:
                status = httpx.get(f"http://127.0.0.1:{port}/tmdb/3/movie/1").status_code
                break
            except httpx.ConnectError:
                assert time.monotonic() < patience
                time.sleep(0.05)
        assert status == 503
        os.kill(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert output == b""
    assert errors.rstrip().endswith(b"KeyboardInterrupt")


def test_serve_names_a_port_that_is_taken_and_a_service_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port}.*another port"):
            serve(port, [])
    with pytest.raises(UsageError, match="no service 'netflix'; it has tmdb, omdb"):
        serve(0, ["netflix=500"])


@pytest.mark.parametrize("service", ["tmdb/3", "omdb", "venice", "imdb", "imdb_graphql"])
def test_every_service_has_a_robots_txt_that_counts_as_its_own(client: httpx.Client, service: str) -> None:
    answer = client.get(f"/{service}/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Disallow: /private" in answer.text.splitlines()
    assert counts(client) == {service.partition("/")[0]: 1, f"/{service}/robots.txt": 1}


# ---------------------------------------------------------------------------------------------------- TMDb and OMDb


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


# ---------------------------------------------------------------------------------------------------- the sites


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


# ---------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("kind", ["401", "403", "404", "429", "500", "502", "503", "504"])
def test_a_status_fault_answers_with_the_status_in_the_words_of_the_service(client: httpx.Client, kind: str) -> None:
    fault(client, "tmdb", kind, retry_after=2)
    answer = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert (answer.status_code, answer.headers["retry-after"]) == (int(kind), "2")
    assert answer.json()["success"] is False
    fault(client, "venice", kind)
    assert client.get("/venice/en/cinema/2024/orizzonti").headers["content-type"].startswith("text/html")


def test_only_429_has_a_retry_after_of_its_own(client: httpx.Client) -> None:
    fault(client, "tmdb", "429")
    assert client.get("/tmdb/3/movie/1").headers["retry-after"] == "1"
    fault(client, "tmdb", "503")
    assert "retry-after" not in client.get("/tmdb/3/movie/1").headers


def test_omdb_quota_fault_looks_like_the_real_one(client: httpx.Client) -> None:
    fault(client, "omdb", "401")
    answer = client.get("/omdb/", params={"apikey": "k", "i": "tt28618488"})
    assert (answer.status_code, answer.json()["Error"]) == (401, "Request limit reached!")


def test_challenge_garbage_and_html_come_instead_of_the_answer(client: httpx.Client) -> None:
    fault(client, "imdb", "waf")
    challenge = client.get("/imdb/event/ev0000681/2024/1/")
    assert (challenge.status_code, challenge.headers["x-amzn-waf-action"]) == (202, "challenge")
    assert "gokuProps" in challenge.text
    fault(client, "tmdb", "garbage")
    garbage = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert (garbage.headers["content-type"], garbage.text) == ("application/json", "<html>oops")
    fault(client, "tmdb", "html")
    page = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_truncated_json_is_a_whole_answer_that_ends_too_early(client: httpx.Client) -> None:
    whole = client.get("/tmdb/3/movie/1151244", params=KEY).content
    fault(client, "tmdb", "truncated")
    answer = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert answer.content == whole[: len(whole) // 2]
    assert answer.headers["content-length"] == str(len(answer.content))


def test_reset_breaks_off_before_the_headers_and_cut_in_mid_body(client: httpx.Client) -> None:
    fault(client, "tmdb", "reset")
    with pytest.raises(httpx.ReadError):
        client.get("/tmdb/3/movie/1151244", params=KEY)
    fault(client, "tmdb", "cut")
    with client.stream("GET", "/tmdb/3/movie/1151244", params=KEY) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.ReadError):
            answer.read()


def test_hang_says_nothing_and_slow_answers_late(client: httpx.Client) -> None:
    fault(client, "tmdb", "hang")
    with pytest.raises(httpx.ReadTimeout):
        client.get("/tmdb/3/movie/1151244", params=KEY, timeout=0.2)
    fault(client, "tmdb", "slow", seconds=0.2)
    answer = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.2


def test_drip_sends_a_byte_per_interval_and_never_times_out_between_two(client: httpx.Client) -> None:
    fault(client, "venice", "drip", seconds=0.01)
    started = time.monotonic()
    answer = client.get("/venice/robots.txt", timeout=0.5)
    assert "Disallow" in answer.text
    assert time.monotonic() - started >= 0.01 * (len(answer.content) - 1)


def test_every_kind_of_fault_counts_the_request_once(client: httpx.Client) -> None:
    for kind in KINDS:
        fault(client, "tmdb", kind, seconds=0.01)
        with httpx.Client(base_url=client.base_url, timeout=0.3) as impatient:
            try:
                impatient.get("/tmdb/3/find/tt0", params=KEY)
            except httpx.TransportError:
                continue
    found = counts(client)
    assert found["tmdb"] == found["/tmdb/3/find/{tt}"] == len(KINDS)
    assert [found[f"tmdb:{kind}"] for kind in KINDS] == [1] * len(KINDS)


def test_a_fault_strikes_at_its_rate_from_its_request_on_so_often_and_on_its_path(client: httpx.Client) -> None:
    def statuses(path: str, times: int) -> list[int]:
        return [client.get(f"/tmdb/3/{path}", params=KEY).status_code for _ in range(times)]

    fault(client, "tmdb", "500", after=3, times=2)
    assert statuses("find/tt1", 6) == [200, 200, 500, 500, 200, 200]
    fault(client, "tmdb", "500", path="/movie/")
    assert statuses("find/tt1", 1) + statuses("movie/1151244", 1) == [200, 500]
    fault(client, "tmdb", "500", rate=0.3)
    assert 0.15 < statuses("find/tt1", 200).count(500) / 200 < 0.45
    fault(client, "tmdb", None)
    assert statuses("find/tt1", 20) == [200] * 20
    fault(client, "omdb", "500")
    assert statuses("find/tt1", 1) == [200]


def test_a_fault_that_makes_no_sense_is_refused_and_told_apart(client: httpx.Client) -> None:
    def refusal(content: str) -> str:
        answer = client.post("/__faults", content=content)
        assert answer.status_code == 400
        return answer.text

    assert "429" in refusal('{"service": "tmdb", "kind": "418"}')
    assert "unknown field 'ratio'" in refusal('{"service": "tmdb", "kind": "500", "ratio": 1}')
    assert "'service'" in refusal('{"kind": "500"}')
    assert "between 0 and 1" in refusal('{"service": "tmdb", "kind": "500", "rate": 7}')
    assert "no service 'tmbd'; it has tmdb" in refusal('{"service": "tmbd", "kind": "500"}')
    refusal("not json")
    refusal("[]")
    assert client.get("/__faults").json() == {}


def test_faults_are_shown_and_forgotten(client: httpx.Client) -> None:
    fault(client, "tmdb", "429", rate=0.3, retry_after=2)
    shown = client.get("/__faults").json()["tmdb"]
    assert (shown["kind"], shown["rate"], shown["retry_after"]) == ("429", 0.3, 2)
    client.get("/tmdb/3/find/tt1", params=KEY)
    client.post("/__reset")
    assert client.get("/__faults").json() == {}
    assert counts(client) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tmdb=429:0.2", Fault("tmdb", "429", rate=0.2)),
        ("imdb=waf", Fault("imdb", "waf")),
        ("omdb=503:1,retry_after=2,times=3", Fault("omdb", "503", retry_after=2.0, times=3)),
    ],
)
def test_a_fault_can_be_written_on_a_command_line(text: str, expected: Fault) -> None:
    assert parse_fault(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tmdb", r"SERVICE=KIND\[:RATE\]"),
        ("=429", r"SERVICE=KIND\[:RATE\]"),
        ("tmdb=boom", "unknown kind 'boom'.*truncated"),
        ("tmdb=429:often", "rate is a number, not 'often'"),
        ("tmdb=429,wait=3", "unknown field 'wait'"),
    ],
)
def test_a_fault_written_wrongly_is_an_error_that_says_how(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_fault(text)


# ---------------------------------------------------------------------------------------------------- counts


def test_counts_are_exact_when_many_ask_at_once(client: httpx.Client) -> None:
    fault(client, "tmdb", "500", rate=0.5)

    def ask(number: int) -> int:
        with httpx.Client(base_url=client.base_url) as own:
            return sum(own.get(f"/tmdb/3/movie/{number}", params=KEY).status_code == 500 for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        struck = sum(pool.map(ask, range(24)))
    found = counts(client)
    assert found["tmdb"] == found["/tmdb/3/movie/{id}"] == 240
    assert found["tmdb:500"] == struck


def test_a_request_counts_though_its_client_went_away(client: httpx.Client) -> None:
    address = (client.base_url.host, client.base_url.port or 0)
    for _ in range(5):
        with socket.create_connection(address) as gone:
            gone.sendall(b"GET /tmdb/3/find/tt1?api_key=x HTTP/1.1\r\nHost: x\r\n\r\n")
    patience = time.monotonic() + 3
    while counts(client).get("tmdb") != 5 and time.monotonic() < patience:
        time.sleep(0.01)
    assert counts(client)["tmdb"] == 5


def test_answers_do_not_wait_for_acknowledgements(client: httpx.Client) -> None:
    started = time.monotonic()
    for _ in range(50):
        client.get("/tmdb/3/find/tt1", params=KEY)
    assert time.monotonic() - started < 50 * 0.02


def test_statistics_tell_films_and_times(client: httpx.Client, catalogue: Catalogue) -> None:
    client.get("/tmdb/3/find/tt1", params=KEY)
    found = client.get("/__stats").json()
    assert set(found) == {"counts", "median_ms", "max_ms", "films"}
    assert found["films"] == len(catalogue.films)
    assert 0 < found["median_ms"] <= found["max_ms"]
