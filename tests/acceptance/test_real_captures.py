"""Real pages, served over HTTP and crawled, come out complete: counted against the captures themselves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.captures import EVENTS, event_captures, pages_tree, rewrapped_2022
from tests.support.runs import environment, query, run

FESTIVALS = {"ev0000681": "venice", "ev0000147": "cannes", "ev0000003": "oscars"}
MATCHERS = ["direct_imdb", "exact_title_year", "normalized_title", "year_tolerant", "fuzzy_title", "broad_search"]
NO_MATCHING = ",".join(f"tmdb_{strategy}" for strategy in MATCHERS)


@pytest.fixture
def site(shared: Path, tmp_path: Path) -> Iterator[str]:
    """The captures behind a plain web server: /imdb/…, /venice/…, 404 for what there is not."""
    root = pages_tree(shared, tmp_path / "site")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = root / f"{self.path.strip('/')}.html"
            body = file.read_bytes() if file.is_file() else b"<html><title>Not found</title></html>"
            self.send_response(200 if file.is_file() else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _settings(folder: Path, site: str) -> dict[str, str]:
    urls = {"imdb": f"{site}/imdb", "venice": f"{site}/venice"}
    return environment(folder, urls, DISABLE_PLUGINS=NO_MATCHING)


def _stored(folder: Path, festival: str, year: int) -> dict[str, dict[str, Any]]:
    """What the database holds of an edition, by the source's own key."""
    where = f"where v.key = '{festival}' and e.year = {year} and s.source = 'imdb_event'"
    joins = """from nomination_sources s join nominations n on n.id = s.nomination_id
               join editions e on e.id = s.edition_id join festivals v on v.id = e.festival_id"""
    found: dict[str, dict[str, Any]] = {}
    for key, winner in query(folder, f"select s.source_key, n.is_winner {joins} {where}"):
        found[key] = {"winner": bool(winner), "films": set(), "people": set()}
    films = f"""select s.source_key, x.value {joins} join nomination_films nf on nf.nomination_id = n.id
                join external_ids x on x.film_id = nf.film_id and x.source = 'imdb' {where}"""
    for key, imdb_id in query(folder, films):
        found[key]["films"].add(imdb_id)
    people = f"""select s.source_key, coalesce(x.value, p.name) {joins} join nomination_people np on np.nomination_id = n.id
                 join people p on p.id = np.person_id left join external_ids x on x.person_id = p.id {where}"""
    for key, person in query(folder, people):
        found[key]["people"].add(person)
    return found


def _printed(nomination: dict[str, Any]) -> dict[str, Any]:
    nominees = nomination["primaryNominees"] + nomination["secondaryNominees"]
    films = {nominee["const"] for nominee in nominees if (nominee["const"] or "").startswith("tt")}
    people = {nominee["const"] or nominee["name"] for nominee in nominees} - films
    return {"winner": nomination["isWinner"], "films": films, "people": people}


@pytest.mark.parametrize(
    ("event", "nominations", "companies"), [("ev0000681", 481, 0), ("ev0000147", 417, 0), ("ev0000003", 379, 1)]
)
def test_lesson_11_every_nomination_of_nine_real_event_pages_is_stored(
    shared: Path, site: str, tmp_path: Path, event: str, nominations: int, companies: int
) -> None:
    captures = [capture for capture in event_captures(shared) if capture.event == event]
    assert {capture.year for capture in captures} == {2019, 2020, 2021}
    crawl = ("crawl", "imdb", "-a", f"event={event}", "-a", "years=2019-2021")
    done = run("scrapy", *crawl, env=_settings(tmp_path, site), folder=tmp_path)
    assert done.returncode == 0, done.stderr

    counted = 0
    for capture in captures:
        printed = {one["awardNominationId"]: _printed(dict(one)) for one in capture.nominations}
        assert _stored(tmp_path, FESTIVALS[event], capture.year) == printed, capture.year
        counted += len(printed)
    assert counted == nominations
    assert query(tmp_path, "select count(*) from people where kind = 'company'") == [(companies,)]
    assert query(tmp_path, "select distinct status from editions") == [("complete",)]


def test_the_page_in_the_layout_since_2024_comes_out_complete(shared: Path, site: str, tmp_path: Path) -> None:
    event = EVENTS["venice"]
    done = run(
        "scrapy", "crawl", "imdb", "-a", f"event={event}", "-a", "year=2022", env=_settings(tmp_path, site), folder=tmp_path
    )
    assert done.returncode == 0, done.stderr

    page = rewrapped_2022(shared)
    data = json.JSONDecoder().raw_decode(page[page.index("{", page.index('id="__NEXT_DATA__"')) :])[0]["props"]["pageProps"]
    nodes = [
        nomination["node"]
        for award in data["edition"]["awards"]
        for category in award["nominationCategories"]["edges"]
        for nomination in category["node"]["nominations"]["edges"]
    ]
    titles = [{film["title"]["id"] for film in node["awardedEntities"].get("awardTitles") or ()} for node in nodes]
    stored = _stored(tmp_path, "venice", 2022)
    assert len(stored) == len(nodes)
    assert sum(one["winner"] for one in stored.values()) == sum(node["isWinner"] for node in nodes)
    assert set().union(*titles) <= set().union(*(one["films"] for one in stored.values()))


def test_venice_official_pages_of_2026_with_most_sections_absent(site: str, tmp_path: Path) -> None:
    done = run(
        "scrapy", "crawl", "venice", "-a", "year=2026", "-a", "via=official", "-O", "out.jsonl",
        env=_settings(tmp_path, site), folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    outcomes = dict(query(tmp_path, "select outcome, count(*) from edition_pages group by 1"))
    assert outcomes["ok"] == 2
    assert set(outcomes) == {"ok", "absent"}
    assert query(tmp_path, "select status from editions") == [("complete",)]
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {line["award"] is None for line in lines} == {True, False}
    card = next(line for line in lines if line["award"] is None)
    assert card["films"][0]["title"] == "NAZA"
    assert card["films"][0]["directors"] == ["Yuval Abraham", "Rachel Szor"]
    assert card["films"][0]["runtime_minutes"] == 80
    assert card["section"]
    assert card["edition"] == {"year": 2026, "number": 83, "instance": 1}
    assert all(line["is_winner"] for line in lines if line["award"])
