"""Titles: one normal form, the readings of a printed title, and how well two titles agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinegraph_core.matching.likeness import FUZZY, NORMALISED, ROMANISED, SAME_KEY, agreement, names_agree, same_person
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
    ("Twin Peaks, episodes 1-2", "Twin Peaks"),
    ("Dr. Mabuse", "Doctor Mabuse"),
    ("Tom i Jerry", "Tom + Jerry"),
    ("Anora †", "Anora"),
]


SCRIPTS = {
    "Latin": ("Bal\u0061\u030aten", "BALÅTEN"),
    "Cyrillic": ("Летят журавли", "ЛЕТЯТ  ЖУРАВЛИ"),
    "Greek": ("Τοπίο στην ομίχλη", "ΤΟΠΙΟ ΣΤΗΝ ΟΜΙΧΛΗ"),
    "Arabic": ("باب الحديد", "باب  الحديد!"),
    "Hebrew": ("ביקור התזמורת", "«ביקור התזמורת»"),
    "Devanagari": ("दो बीघा ज़मीन", "दो बीघा ज\u093cमीन"),
    "Tamil": ("நாயகன்", "நாயகன்."),
    "Thai": ("ลุงบุญมีระลึกชาติ", "ลุงบุญมีระลึกชาติ (4K)"),
    "Hangul": ("살인의 추억", "\u1109\u1161\u11af\u110b\u1175\u11ab\u110b\u1174 \u110e\u116e\u110b\u1165\u11a8"),
    "Han": ("東京物語", "《東京物語》"),
    "Kana": ("となりのトトロ", "となりのﾄﾄﾛ"),
    "Georgian": ("მონანიება", "„მონანიება“"),
    "Armenian": ("Նռան գույնը", "ՆՌԱՆ ԳՈՒՅՆԸ"),
    "Amharic": ("ጤዛ", "ጤዛ "),
}
MOVED = [
    ("Piano, The", "The Piano"),
    ("Captive, La", "La Captive"),
    ("Espoir, L'", "L'Espoir"),
    ("Olvidados, Los", "Los olvidados"),
    ("Gattopardo, Il", "Il gattopardo"),
    ("Homem que copiava, O", "O homem que copiava"),
    ("Untergang, Der", "Der Untergang"),
    ("Vierde man, De", "De vierde man"),
    ("Sjunde inseglet, Det", "Det sjunde inseglet"),
    ("Tanú, A", "A tanú"),
    ("Thiasos, O", "O Thiasos"),
    ("Un amico", "Amico, Un"),
]
ROMANISED_PAIRS = [
    ("POKAYANIYE", "Покаяние"),
    ("Хрусталёв, машину!", "Khrustalyov, mashinu!"),
    ("Letjat žuravli", "Летят журавли"),
    ("Ueber uns", "Über uns"),
    ("O Thiassos", "Ο Θίασος"),
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_one_title_in_each_of_many_scripts(script: str) -> None:
    assert agreement(*SCRIPTS[script]) == 1.0


@pytest.mark.parametrize(("one", "other"), MOVED)
def test_an_article_may_stand_first_or_last_in_a_dozen_languages(one: str, other: str) -> None:
    assert agreement(one, other) == 1.0


@pytest.mark.parametrize(("one", "other"), ROMANISED_PAIRS)
def test_a_romanisation_costs_more_than_a_dropped_article_and_is_still_the_title(one: str, other: str) -> None:
    assert NORMALISED <= agreement(one, other) <= ROMANISED < SAME_KEY


def test_look_alike_letters_of_another_script_are_read_as_the_letter_they_look_like() -> None:
    assert agreement("М\u043es\u0441ow Nights", "Moscow Nights") >= FUZZY
    assert agreement("\u0410rirang", "Arirang") == 1.0


def test_a_letter_of_the_alphabet_is_no_article() -> None:
    assert agreement("A-Z", "Z") < FUZZY


@pytest.mark.parametrize(
    ("printed", "known"),
    [
        ("Birdman or (The Unexpected Virtue of Ignorance)", "Birdman"),
        ("The Lodger: A Story of the London Fog", "The Lodger"),
        ("Iddu – L'ultimo padrino", "Iddu"),
    ],
)
def test_a_dropped_second_title_is_alike_and_never_the_same(printed: str, known: str) -> None:
    assert FUZZY <= agreement(printed, known) < NORMALISED


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


@settings(deadline=None)
@given(st.text(max_size=60))
def test_the_normal_form_is_its_own_normal_form(title: str) -> None:
    once = words(" ".join(words(title)))
    assert words(" ".join(once)) == once


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_has_readings_that_cost_something_each(title: str) -> None:
    assert all(0 <= spelling.cost < 1 and spelling.words for spelling in spellings(title))
    assert clean(clean(title)) == clean(title) or "," in title or "&" in title
