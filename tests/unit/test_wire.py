"""Queries as JSON: what is no query is refused with a sentence that names the field."""

from __future__ import annotations

import json

import pytest

from cinegraph_core.matching.wire import id_from_json, query_from_json


@pytest.mark.parametrize(
    "imdb_id", ["../x", "a/b", "tt123", "nm0000151", "TT0095016", "tt٠١٢٣٤٥٦", "tt0095016?x=1", "tt 0095016"]
)
def test_an_imdb_id_that_is_none_is_refused_before_it_costs_a_request(imdb_id: str) -> None:
    with pytest.raises(ValueError, match="'imdb_id' must be an IMDb id of a film"):
        query_from_json({"id": "a", "title": "Maria", "imdb_id": imdb_id})


@pytest.mark.parametrize("imdb_id", ["tt0095016", "tt14230458", " tt0095016 "])
def test_an_imdb_id_is_enough_for_a_query(imdb_id: str) -> None:
    assert query_from_json({"id": "a", "imdb_id": imdb_id}).imdb_id == imdb_id.strip()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "\ud800"),
        ("title", "Poor \udcff Things"),
        ("original_title", "\ud800"),
        ("directors", ["Pablo Larraín", "\ud800"]),
        ("festival", "\ud800"),
        ("kind", "\ud800"),
        ("imdb_id", "\ud800"),
    ],
)
def test_half_a_surrogate_pair_is_refused_in_words_that_can_be_printed(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"'{field}' ") as caught:
        query_from_json({"id": "a", "title": "Maria", field: value})
    assert str(caught.value).encode()


def test_both_halves_of_a_surrogate_pair_are_one_character() -> None:
    assert query_from_json(json.loads(r'{"id": "a", "title": "\ud83c\udfac"}')).title == "🎬"


@pytest.mark.parametrize(
    ("given", "taken"), [("a", "a"), (7, 7), ("7", "7"), ("", None), (True, None), (1.5, None), ("\ud800", None)]
)
def test_an_id_is_given_back_as_it_came(given: object, taken: object) -> None:
    assert id_from_json({"id": given}) == taken
    assert type(id_from_json({"id": given})) is type(taken)


@pytest.mark.parametrize("document", [None, [], "a", {}])
def test_what_has_no_id_gives_none(document: object) -> None:
    assert id_from_json(document) is None
