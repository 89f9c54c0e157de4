"""A feed line as a row: nested names joined, lists joined, nothing in the way of a spreadsheet."""

from __future__ import annotations

from cinegraph_core.crawling.feeds import CSV_COLUMNS, flat

LINE = {
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
    assert row["films_countries"] == "Spain | USA"
    assert row["films_match_tmdb_id"] == 1088514
    assert row["people_name"] == "Tilda Swinton | Julianne Moore"
    assert "category" not in row


def test_every_leaf_has_a_column() -> None:
    assert set(flat(LINE)) <= set(CSV_COLUMNS)
