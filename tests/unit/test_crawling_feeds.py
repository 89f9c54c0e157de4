"""A feed line as a row: nested names joined, lists joined, nothing in the way of a spreadsheet."""

from __future__ import annotations

from typing import Any

from cinegraph_core.crawling.feeds import CSV_COLUMNS, flat

LINE: dict[str, Any] = {
    "festival": "venice",
    "edition": {"year": 2024, "number": 81, "instance": 1},
    "section": "competition",
    "award": "Golden Lion",
    "category": None,
    "is_winner": True,
    "notes": None,
    "films": [
        {
            "title": "La stanza accanto",
            "original_title": "The Room Next Door",
            "year": 2024,
            "imdb_id": "tt29439114",
            "directors": ["Pedro Almodóvar"],
            "countries": ["Spain", "USA"],
            "runtime_minutes": 110,
            "kind": "movie",
            "match": {
                "status": "matched",
                "tmdb_id": 1088514,
                "confidence": 0.9,
                "score": 0.98,
                "level": 2,
                "strategy": "exact_title_year",
            },
        }
    ],
    "people": [{"name": "Tilda Swinton", "imdb_id": None, "role": "actor"}, {"name": "Julianne Moore", "imdb_id": "nm0000194"}],
    "source": {"name": "venice_official", "url": "u", "fetched_at": "2026-01-02T03:04:05Z", "parser": "p", "provenance": "mock"},
}


def test_a_line_becomes_a_row_of_leaves() -> None:
    row = flat(LINE)
    assert row["edition_year"] == 2024
    assert row["films_countries"] == "Spain; USA"
    assert row["films_match_tmdb_id"] == 1088514
    assert row["people_name"] == "Tilda Swinton | Julianne Moore"
    assert "category" not in row


def test_every_leaf_has_a_column() -> None:
    assert set(flat(LINE)) <= set(CSV_COLUMNS)


def test_an_element_that_lacks_a_leaf_keeps_its_place() -> None:
    first, second = LINE["films"][0], {"title": "Maria", "imdb_id": None, "directors": ["A", "B"], "match": None}
    row = flat({**LINE, "films": [second, first]})
    assert row["films_title"] == "Maria | La stanza accanto"
    assert row["films_imdb_id"] == " | tt29439114"
    assert row["films_directors"] == "A; B | Pedro Almodóvar"
    assert row["films_match_tmdb_id"] == " | 1088514"
    assert row["people_imdb_id"] == " | nm0000194"
    assert row["people_role"] == "actor | "


def test_what_no_element_has_is_left_out() -> None:
    row = flat({"people": [{"name": "A", "imdb_id": None}, {"name": "B", "imdb_id": None}], "films": []})
    assert row == {"people_name": "A | B"}
