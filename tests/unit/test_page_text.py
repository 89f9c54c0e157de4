"""Titles, names and runtimes as festivals print them, taken apart."""

from __future__ import annotations

import pytest

from cinegraph_core import Answer, Film, Person
from cinegraph_festivals.text import page_text, runtime_minutes, split_countries, split_names, split_title
from cinegraph_festivals.venice.recipients import recipients


@pytest.mark.parametrize(
    ("printed", "title", "original", "is_series"),
    [
        ("Winter Harbour", "Winter Harbour", None, False),
        ("Zimní přístav (Winter Harbour)", "Winter Harbour", "Zimní přístav", False),
        ("Dvě: Návrat (Two: The Return)", "Two: The Return", "Dvě: Návrat", False),
        ("M. (Ep. 1-8)", "M.", None, True),
        ("Sju rum (Seven Rooms) (Chapters 1-7)", "Seven Rooms", "Sju rum", True),
        ("Sju rum (Ep. 1-4) (Seven Rooms)", "Seven Rooms", "Sju rum", True),
        ("Ritorno (2019)", "Ritorno (2019)", None, False),
        ("(Un)known", "(Un)known", None, False),
        ("Nobody or (A Short Life)", "Nobody or (A Short Life)", None, False),
        ("Море (The Sea)", "The Sea", "Море", False),
        ("Episodes", "Episodes", None, False),
        ("Sand (Part Two)", "Sand (Part Two)", None, False),
    ],
)
def test_titles_are_taken_apart(printed: str, title: str, original: str | None, is_series: bool) -> None:
    found = split_title(printed)
    assert (found.title, found.original, found.is_series) == (title, original, is_series)


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("Ada Marin", ("Ada Marin",)),
        ("Ada Marin, Luc Brandt", ("Ada Marin", "Luc Brandt")),
        ("Ada Marin & Luc Brandt", ("Ada Marin", "Luc Brandt")),
        ("Ada Marin, Luc Brandt and Ida Holm", ("Ada Marin", "Luc Brandt", "Ida Holm")),
        ("Ada Marin, Luc Brandt, and Ida Holm", ("Ada Marin", "Luc Brandt", "Ida Holm")),
        ("Anders Sandberg", ("Anders Sandberg",)),
        ("Ada Marin and", ("Ada Marin",)),
        ("", ()),
    ],
)
def test_names_are_split(printed: str, names: tuple[str, ...]) -> None:
    assert split_names(printed) == names


def test_runtimes_and_countries() -> None:
    assert [runtime_minutes(text) for text in ("80’", "156'", "9 ′", "92 min", "2025", "")] == [80, 156, 9, 92, None, None]
    assert split_countries("Denmark, Sweden / Latvia") == ("Denmark", "Sweden", "Latvia")


def test_a_page_is_read_in_the_encoding_it_declares() -> None:
    latin = Answer(
        status=200, headers={"content-type": "text/html; charset=iso-8859-1"}, body="Żółć é".encode("iso-8859-2"), url=""
    )
    utf8 = Answer(status=200, headers={}, body="<p>Møøse ‒ 北京</p>".encode(), url="")
    declared = Answer(status=200, headers={}, body='<meta charset="iso-8859-2"><p>Żółć</p>'.encode("iso-8859-2"), url="")
    assert page_text(latin).endswith("é")
    assert page_text(utf8) == "<p>Møøse ‒ 北京</p>"
    assert "Żółć" in page_text(declared)


@pytest.mark.parametrize(
    ("text", "films", "people"),
    [
        ("⟦LAND⟧ by Ida Holm", (Film(title="LAND", directors=("Ida Holm",)),), (Person("Ida Holm", role="director"),)),
        ("⟦LAND⟧ (Italy)", (Film(title="LAND", countries=("Italy",)),), ()),
        ("Ida Holm for ⟦LAND⟧", (Film(title="LAND"),), (Person("Ida Holm", role="honoree"),)),
        (
            "LAND (MAINLAND) by Ida Holm",
            (Film("MAINLAND", "LAND", directors=("Ida Holm",)),),
            (Person("Ida Holm", role="director"),),
        ),
        ("Ida Holm (Norway)", (), (Person("Ida Holm", role="honoree"),)),
        ("everybody who came to see the films of this year, and the crews", (), ()),
    ],
)
def test_recipients_of_an_award(text: str, films: tuple[Film, ...], people: tuple[Person, ...]) -> None:
    assert recipients(text, award="SPECIAL PRIZE", section=None) == (films, people)
