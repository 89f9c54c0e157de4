"""What earlier systems got wrong on festival pages, one test per fault."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from cinegraph_core import LayoutChangedError, NoDataError, Nomination, PageError, PageResult
from cinegraph_festivals import imdb, venice
from cinegraph_festivals.aliases import VENICE_ALIASES
from cinegraph_festivals.imdb.event import read_event
from tests.support.captures import old_layout_page, page_input, venice_lineup_page


def nominee(const: str | None, name: str, note: str | None = None) -> dict[str, Any]:
    return {"const": const, "name": name, "note": note, "originalName": None}


def nomination(*primary: dict[str, Any], below: tuple[dict[str, Any], ...] = (), won: bool = False) -> dict[str, Any]:
    return {"primaryNominees": list(primary), "secondaryNominees": list(below), "notes": None, "isWinner": won}


def read(*awards: tuple[str, str | None, list[dict[str, Any]]], event: str = "ev0000681") -> tuple[Nomination, ...]:
    """Read a page of 2021 with these awards, categories and nominations; none of them has an id."""
    printed = [
        {"awardName": award, "categories": [{"categoryName": category, "nominations": nominations}]}
        for award, category, nominations in awards
    ]
    summary = {"eventId": event, "eventName": "Festival", "year": 2021, "occurrence": 1, "awards": printed}
    (plan,) = imdb.plan({"event": event, "year": "2021"})
    page = old_layout_page(json.dumps({"nomineesWidgetModel": {"eventEditionSummary": summary}}))
    return read_event(page_input(plan.pages[0], page)).nominations


FILM = nominee("tt9000001", "The Salt Road")
PERSON = nominee("nm9000001", "Ada Marin")


def test_lesson_12_a_second_nominee_of_one_film_and_category_is_kept() -> None:
    first, second = nominee("nm9000001", "Ada Marin"), nominee("nm9000002", "Noor Haddad")
    found = read(("Volpi Cup", "Best Actress", [nomination(first, below=(FILM,)), nomination(second, below=(FILM,))]))
    assert [one.people[0].name for one in found] == ["Ada Marin", "Noor Haddad"]
    assert len({one.key for one in found}) == 2


def test_lesson_12_a_winner_announced_later_keeps_its_key() -> None:
    (before,) = read(("Golden Lion", "Best Film", [nomination(FILM, below=(PERSON,))]))
    (after,) = read(("Golden  LION", "Best Film", [nomination(FILM, below=(PERSON,), won=True)]))
    assert (before.is_winner, after.is_winner) == (False, True)
    assert before.key == after.key


def test_lesson_12_exact_twins_keep_keys_of_their_own() -> None:
    found = read(("Special Mention", None, [nomination(FILM), nomination(FILM)]))
    assert found[1].key == f"{found[0].key}-2"


def test_a_key_is_the_sha256_of_what_was_printed() -> None:
    (found,) = read(("Golden Lion", "Best Film", [nomination(FILM, below=(PERSON,))]))
    printed = '["golden lion", "best film", ["tt9000001"], ["nm9000001"], null]'
    assert found.key == hashlib.sha256(printed.encode()).hexdigest()[:20]


def test_lesson_13_one_category_under_two_awards_stays_two() -> None:
    found = read(("Golden Lion", "Best Film", [nomination(FILM)]), ("Pasinetti Award", "Best Film", [nomination(FILM)]))
    assert [(one.award, one.category) for one in found] == [("Golden Lion", "Best Film"), ("Pasinetti Award", "Best Film")]
    assert len({one.key for one in found}) == 2


def test_lesson_13_every_film_of_a_nomination_is_kept() -> None:
    second = nominee("tt9000002", "Winter Harbour")
    (found,) = read(("Special Prize", None, [nomination(PERSON, below=(FILM, second))]))
    assert [film.imdb_id for film in found.films] == ["tt9000001", "tt9000002"]


def test_lesson_13_an_award_without_film_or_person_is_kept() -> None:
    lifetime, empty = read(("Career Golden Lion", None, [nomination(PERSON)]), ("Young Cinema Award", None, [nomination()]))
    assert (lifetime.films, lifetime.people[0].name) == ((), "Ada Marin")
    assert (empty.films, empty.people, empty.award) == ((), (), "Young Cinema Award")


def test_lesson_14_producers_below_an_oscar_do_not_become_directors() -> None:
    (picture,) = read(("Oscar", "Best Motion Picture of the Year", [nomination(FILM, below=(PERSON,))]), event="ev0000003")
    (palm,) = read(("Palme d'Or", None, [nomination(FILM, below=(PERSON,))]), event="ev0000147")
    assert (picture.films[0].directors, picture.people[0].role) == ((), "credited")
    assert (palm.films[0].directors, palm.people[0].role) == (("Ada Marin",), "director")


def _oscar(category: str, *primary: dict[str, Any], **more: Any) -> Nomination:
    (found,) = read(("Oscar", category, [nomination(*primary) | more]), event="ev0000003")
    return found


def test_lesson_14_the_country_of_an_international_feature_is_a_note_and_no_film() -> None:
    found = _oscar("Best International Feature Film", FILM, notes="Denmark")
    assert [(film.title, film.imdb_id, film.countries) for film in found.films] == [("The Salt Road", "tt9000001", ())]
    assert found.notes == "Denmark"


@pytest.mark.parametrize(
    ("notes", "songs", "printed"),
    [
        ('For song "Low Tide"', ["Low Tide"], 'For song "Low Tide"'),
        (None, ["First Wind", "Second Wind"], "First Wind; Second Wind"),
    ],
)
def test_lesson_14_the_song_of_an_original_song_is_a_note_and_no_film(notes: str | None, songs: list[str], printed: str) -> None:
    found = _oscar("Best Achievement in Music (Original Song)", FILM, notes=notes, songNames=songs)
    assert [(film.title, film.imdb_id) for film in found.films] == [("The Salt Road", "tt9000001")]
    assert found.notes == printed


@pytest.mark.parametrize("note", ["Denmark", 'For song "Low Tide"'])
def test_lesson_14_country_and_song_are_notes_since_2024_too(note: str) -> None:
    film = {"title": {"id": "tt9000001", "titleText": {"text": "The Salt Road"}}}
    node = {"isWinner": True, "notes": {"plainText": note}, "awardedEntities": {"awardTitles": [film]}}
    (found,) = read_next_data(connection([node])).nominations
    assert ([one.title for one in found.films], found.notes) == (["The Salt Road"], note)


@pytest.mark.parametrize(
    "award",
    [
        "Best Actor",
        "Best Screenplay",
        "Palm Dog",
        "Cannes Soundtrack Award",
        "CST Artist - Technician Prize",
        "La Pellicola d'Oro Award",
    ],
)
def test_people_below_an_award_for_another_craft_are_no_directors(award: str) -> None:
    (found,) = read((award, None, [nomination(FILM, below=(PERSON,))]))
    assert found.films[0].directors == ()
    assert found.people[0].role == "credited"


@pytest.mark.parametrize(
    ("note", "role", "is_director"),
    [
        ("(director)", "director", True),
        ("(Director, co-writer)", "director", True),
        ("(as A. M.) (director/producer)", "director", True),
        ("(producer)", "producer", False),
        ("(as A. M.) (producer)", "producer", False),
        ("(art director)", "art director", False),
        ("(director of photography)", "director of photography", False),
        ("(as A. M.)", "director", True),
    ],
)
def test_a_note_in_brackets_decides_who_directed(note: str, role: str, is_director: bool) -> None:
    (found,) = read(("Golden Lion", "Best Film", [nomination(FILM, below=(nominee("nm9000001", "Ada Marin", note),))]))
    assert found.people[0].role == role
    assert found.films[0].directors == (("Ada Marin",) if is_director else ())


def test_an_unknown_event_names_no_directors() -> None:
    (found,) = read(("Grand Prize", None, [nomination(FILM, below=(PERSON,))]), event="ev0001234")
    assert found.films[0].directors == ()


@pytest.mark.parametrize("body", ["", "<html></html>", "<html><h1>Festival</h1><p>captcha</p></html>"])
def test_lesson_16_an_empty_page_is_a_changed_layout_not_an_empty_edition(body: str) -> None:
    for plan in (*imdb.plan({"event": "ev0000681", "year": "2024"}), *venice.plan({"year": "2024"})):
        for request in plan.pages:
            with pytest.raises(LayoutChangedError):
                venice.read(page_input(request, body))


def connection(nodes: list[dict[str, Any]], **page: Any) -> dict[str, Any]:
    return {"edges": [{"node": node} for node in nodes], **page}


def read_next_data(nominations: dict[str, Any]) -> PageResult:
    awards = [{"text": "Palm", "nominationCategories": connection([{"category": None, "nominations": nominations}])}]
    props = {"editionInfo": {"year": 2024}, "edition": {"awards": awards}}
    text = json.dumps({"props": {"pageProps": props}})
    (plan,) = imdb.plan({"event": "ev0000147", "year": "2024"})
    return read_event(page_input(plan.pages[0], f'<script id="__NEXT_DATA__" type="application/json">{text}</script>'))


def test_lesson_17_a_page_that_was_cut_says_so() -> None:
    node: dict[str, Any] = {"isWinner": False, "notes": None, "awardedEntities": {"awardTitles": []}}
    assert read_next_data(connection([node], pageInfo={"hasNextPage": False})).truncated == ""
    assert (
        read_next_data(connection([node], pageInfo={"hasNextPage": True})).truncated == "Palm: some nominations after the first 1"
    )
    assert read_next_data(connection([node], total=500)).truncated == "Palm: 499 nominations after the first 1"
    assert read_next_data(connection([node], total=1)).truncated == ""


def test_lesson_18_menus_headings_and_carousels_are_no_films() -> None:
    card = '<article class="node-film"><a href="/en/cinema/2024/orizzonti/{0}"></a><div class="lb-item-title">{0}</div></article>'
    menu = "<nav><h2>Cinema</h2><h3>Line-up</h3>{}</nav><h1>Orizzonti</h1><h2>Tickets</h2>".format(card.format("menu"))
    more = '<div class="carousel">{}</div><aside>{}</aside>'.format(card.format("slide"), card.format("aside"))
    request = next(page for plan in venice.plan({"year": "2024"}) for page in plan.pages if page.path.endswith("/orizzonti"))
    result = venice.read(page_input(request, venice_lineup_page(menu + card.format("film") + more, 2024)))
    assert [one.films[0].title for one in result.nominations] == ["film"]


CARD = '<article class="node-film"><a href="/en/cinema/2024/{0}/film"></a><div class="lb-item-title">Film</div></article>'


@pytest.mark.parametrize(
    ("led_to", "error"),
    [
        ("https://www.labiennale.org/en/cinema/2024/out-competition", NoDataError),
        ("https://www.labiennale.org/en/cinema/2024", LayoutChangedError),
        ("https://www.labiennale.org/en", LayoutChangedError),
    ],
)
def test_a_section_page_that_leads_elsewhere_gives_no_films_twice(led_to: str, error: type[PageError]) -> None:
    request = next(page for plan in venice.plan({"year": "2024"}) for page in plan.pages if "out-of" in page.path)
    body = venice_lineup_page(CARD.format("out-competition"), 2024)
    with pytest.raises(error, match=f"'out-of-competition' led to {led_to}"):
        venice.read(page_input(request, body, url=led_to))


def test_a_section_page_that_was_renamed_is_read_under_its_new_name() -> None:
    request = next(
        page for plan in venice.plan({"year": "2024"}) for page in plan.pages if page.path.endswith("/venice-spotlight")
    )
    url = "https://www.labiennale.org/en/cinema/2024/spotlight-of-venice"
    (selection,) = venice.read(
        page_input(request, venice_lineup_page(CARD.format("spotlight-of-venice"), 2024), url=url)
    ).nominations
    assert selection.section == "spotlight of venice"


@pytest.mark.parametrize(
    ("official", "second"),
    [
        ("GOLDEN LION for Best Film", "Golden Lion / Best Film"),
        ("SILVER LION – GRAND JURY PRIZE", "Silver Lion / Grand Jury Prize"),
        ("SILVER LION - AWARD FOR BEST DIRECTOR", "Silver Lion / Best Director"),
        ("COPPA VOLPI for Best Actress", "Volpi Cup / Best Actress"),
        ("COPPA VOLPI for Best Actor", "Volpi Cup / Best Actor"),
        ("AWARD FOR BEST SCREENPLAY", "Golden Osella / Best Screenplay"),
        (
            "MARCELLO MASTROIANNI AWARD for Best Young Actor or Actress",
            "Marcello Mastroianni Award / Best Young Actor or Actress",
        ),
        (
            'LION OF THE FUTURE - "LUIGI DE LAURENTIIS" VENICE AWARD FOR A DEBUT FILM',
            "Luigi De Laurentiis Award / Best Debut Film",
        ),
        ("GOLDEN LION FOR LIFETIME ACHIEVEMENT", "Career Golden Lion"),
        ("ORIZZONTI AWARD FOR BEST SHORT FILM", "Venice Horizons Award / Best Short Film"),
        ("SPECIAL ORIZZONTI JURY PRIZE", "Venice Horizons Award / Special Jury Prize"),
        ("VENICE CLASSICS AWARD FOR BEST RESTORED FILM", "Venezia Classici Award / Best Restored Film"),
        ("VENICE IMMERSIVE GRAND PRIZE", "Venice Immersive / Grand Jury Prize"),
    ],
)
def test_official_and_imdb_names_of_an_award_are_one(official: str, second: str) -> None:
    assert VENICE_ALIASES[official.lower()] == VENICE_ALIASES[second.lower()]


def test_every_alias_is_lower_case_and_collapsed_and_prizes_stay_apart() -> None:
    assert all(key == " ".join(key.lower().split()) for key in VENICE_ALIASES)
    assert VENICE_ALIASES["special jury prize"] != VENICE_ALIASES["venice horizons award / special jury prize"]
    assert VENICE_ALIASES["special jury prize"] != VENICE_ALIASES["silver lion / grand jury prize"]


def test_a_card_without_a_title_costs_only_itself_and_the_page_says_so() -> None:
    untitled = '<article class="node-film"><a href="/en/cinema/2024/orizzonti/{}"></a></article>'
    request = next(page for plan in venice.plan({"year": "2024"}) for page in plan.pages if page.path.endswith("/orizzonti"))
    body = untitled.format("x") + CARD.format("orizzonti") + untitled.format("y")
    result = venice.read(page_input(request, venice_lineup_page(body, 2024)))
    assert [one.films[0].title for one in result.nominations] == ["Film"]
    assert result.truncated == "2 film cards without a title (/en/cinema/2024/orizzonti/x, /en/cinema/2024/orizzonti/y)"
    with pytest.raises(LayoutChangedError, match=r"no film card of 2024 on .* has a title"):
        venice.read(page_input(request, venice_lineup_page(untitled.format("x"), 2024)))
