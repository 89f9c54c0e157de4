"""Titles: one normal form, the readings of a printed title, and how well two titles agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinegraph_core.matching.likeness import FUZZY, NORMALISED, SAME_KEY, agreement, names_agree, same_person
from cinegraph_core.matching.titles import clean, keywords, numeral_variants, spellings, words

SAME = [
    ("Piano, The", "The Piano"),
    ("L'avventura", "Avventura, L'"),
    ("Höchste Gut einer Frau ist ihr Schweigen, Das", "Das höchste Gut einer Frau ist ihr Schweigen"),
    ("Fuzis, Os", "Os Fuzis"),
    ("Amélie", "AMELIE"),
    ("Tom & Jerry", "Tom and Jerry"),
    ("Romeo und Julia", "Romeo et Julia"),
    ("Rocky II", "Rocky 2"),
    ("8½", "8-1/2"),
    ("Kill Bill: Vol. 1", "Kill Bill Volume 1"),
    ("Astronomer&#39;s Dream", "Astronomer’s Dream"),
    ("(500) Days of Summer", "500 Days of Summer"),
    ("ПОКАЯНИЕ", "Покаяние"),
    ("Покаяние", "Pokayanie"),
    ("Ο Θίασος", "ο θιασος"),
    ("كفرناحوم", "كفرناحوم"),
    ("千と千尋の神隠し", "千と千尋の神隠し"),
    ("기생충", "기생충"),
    ("Cafe\u0301", "Café"),
    ("Kjærlighet", "Kjaerlighet"),
    ("If....", "If…"),
    ("Poor Things [4K]", "Poor Things"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_title_printed_in_two_ways_is_the_same(one: str, other: str) -> None:
    assert agreement(one, other) >= SAME_KEY


@pytest.mark.parametrize(
    ("printed", "known"),
    [
        ("Iddu (Sicilian Letters)", "Sicilian Letters"),
        ("Qing Chun: Gui (Youth: Homecoming)", "Youth (Homecoming)"),
        ("First Great Train Robbery, The/The Great Train Robbery", "The Great Train Robbery"),
        ("The Matrix", "Matrix"),
        ("Wolf Walkers", "WolfWalkers"),
    ],
)
def test_a_full_reading_of_a_printed_title_is_the_title(printed: str, known: str) -> None:
    assert NORMALISED <= agreement(printed, known) < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rocky", "Rocky II"),
        ("[REC]", "[REC]²"),
        ("Three Colours: White", "Three Colours: Red"),
        ("Che", "Che: Part Two"),
        ("M", "It"),
        ("The Other Half", "Half"),
        ("1917", "1918"),
    ],
)
def test_twins_are_told_apart(one: str, other: str) -> None:
    assert agreement(one, other) < FUZZY


def test_a_slip_of_the_pen_is_like_but_not_the_same() -> None:
    assert FUZZY <= agreement("Poor Thngs", "Poor Things") < NORMALISED


def test_only_the_main_title_is_never_the_same_title() -> None:
    assert FUZZY <= agreement("The Lodger", "The Lodger: A Story of the London Fog") < NORMALISED


@pytest.mark.parametrize("title", ["The The", "A", "Les", "The"])
def test_a_lone_article_is_a_title(title: str) -> None:
    assert words(title) == tuple(title.casefold().split())


def test_digits_stay_what_they_are() -> None:
    assert words("1917") == ("1917",)
    assert words("Malcolm X") == words("Malcolm 10")
    assert words("V for Vendetta")[0] == "v"


def test_readings_carry_their_price() -> None:
    costs = {spelling.text: spelling.cost for spelling in spellings("Show: Film (Der Film)")}
    assert costs["Show: Film (Der Film)"] == 0
    assert 0 < costs["Der Film"] < costs["Show"]


def test_cleaning_keeps_the_title_readable() -> None:
    assert clean("  Captive,  La ") == "La Captive"
    assert clean("Espoir, L’") == "L'Espoir"
    assert clean("Crouching Tiger, Hidden Dragon") == "Crouching Tiger, Hidden Dragon"


def test_guesses_for_a_search() -> None:
    assert numeral_variants("Rocky II") == ("Rocky 2",)
    assert numeral_variants("Rocky 2") == ("Rocky II",)
    assert numeral_variants("Poor Things") == ()
    assert keywords("The Assassination of Jesse James by the Coward Robert Ford") == "Assassination Coward Robert"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Liu Chia-Liang", "Chia-Liang Liu"),
        ("J. Panahi", "Jafar Panahi"),
        ("Joachim TRIER", "joachim trier"),
        ("Андрей Тарковский", "Andrei Tarkovsky"),
        ("Hou Hsiao-hsien", "Hou Hsiaohsien"),
        ("Valery Todorovsky", "Valeriy Todorovskiy"),
        ("Paul Anderson", "Paul Thomas Anderson"),
    ],
)
def test_one_person_under_two_names(one: str, other: str) -> None:
    assert same_person(names_agree(one, other))


@pytest.mark.parametrize(
    ("one", "other"), [("Joel Coen", "Ethan Coen"), ("Steve McQueen", "Steven Soderbergh"), ("", "Jane Campion")]
)
def test_two_people_stay_two(one: str, other: str) -> None:
    assert not same_person(names_agree(one, other))


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_agreement_is_symmetric_and_bounded_for_any_unicode(one: str, other: str) -> None:
    assert agreement(one, other) == agreement(other, one)
    assert 0 <= agreement(one, other) <= 1
    assert names_agree(one, other) == names_agree(other, one)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_every_title_agrees_with_itself(title: str) -> None:
    assert agreement(title, title) == 1.0
    assert words(title)
