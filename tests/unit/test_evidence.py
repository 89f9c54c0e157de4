"""Evidence: what speaks for a candidate, what forbids it, and how candidates share the probability."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinegraph_core.matching.evidence import judge, version
from cinegraph_core.matching.policy import acceptable
from cinegraph_core.matching.weights import weights
from cinegraph_core.matching.years import meaning_of, years_off
from cinegraph_core.records import Candidate, FilmQuery
from cinegraph_core.settings import MatchingSettings

QUERY = FilmQuery("q", "Poor Things", year=2023, directors=("Yorgos Lanthimos",))
FILM = Candidate(1, "Poor Things", year=2023, directors=("Yorgos Lanthimos",), runtime_minutes=141, detailed=True)
SETTINGS = MatchingSettings(accept_score=0.8, margin=0.3)


def score(query: FilmQuery, *candidates: Candidate) -> float:
    return judge(query, candidates)[0].score


def objections(query: FilmQuery, candidate: Candidate) -> tuple[str, ...]:
    return judge(query, [candidate])[0].contradictions


def test_everything_agreeing_is_nearly_certain() -> None:
    evidence = judge(QUERY, [FILM])[0]
    assert evidence.score > 0.99
    assert not evidence.contradictions
    assert evidence.why == ("same title: Poor Things", "same year", "same director: Yorgos Lanthimos")


def test_the_best_of_all_titles_counts() -> None:
    asked = replace(QUERY, title="Kvinde ukendt", directors=())
    film = replace(FILM, title="Woman Unknown")
    assert score(asked, replace(film, original_title="Kvinde ukendt")) == score(
        asked, replace(film, titles=("X", "Kvinde ukendt"))
    )
    assert score(asked, film) < 0.05 < 0.8 < score(asked, replace(film, original_title="Kvinde ukendt"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"directors": ("Somebody Else",)}, "another director"),
        ({"year": 2017}, "6 years off"),
        ({"kind": "series"}, "a series"),
    ],
)
def test_a_contradiction_is_never_accepted(change: dict[str, object], says: str) -> None:
    judged = judge(QUERY, [replace(FILM, **change)])  # type: ignore[arg-type]
    assert says in judged[0].contradictions[0]
    assert not acceptable(judged, MatchingSettings(accept_score=0.0, margin=0.0))


def test_an_unknown_director_is_no_objection() -> None:
    assert objections(QUERY, replace(FILM, directors=())) == ()
    assert score(QUERY, replace(FILM, directors=())) > 0.8


def test_one_of_several_directors_is_enough() -> None:
    asked = replace(QUERY, title="Cloud Atlas", year=2012, directors=("Tom Tykwer",))
    film = Candidate(2, "Cloud Atlas", year=2012, directors=("Lilly Wachowski", "TYKWER Tom", "Lana Wachowski"), detailed=True)
    assert objections(asked, film) == ()


def test_another_length_without_a_director_is_an_objection() -> None:
    asked = replace(QUERY, directors=(), runtime_minutes=12)
    assert "another length" in objections(asked, FILM)[0]
    assert objections(replace(asked, directors=QUERY.directors), FILM) == ()


def test_equal_rivals_halve_the_score_and_nobody_wins() -> None:
    asked = replace(QUERY, directors=())
    judged = judge(asked, [replace(FILM, directors=()), replace(FILM, tmdb_id=2, directors=())])
    assert judged[0].score == judged[1].score < 0.5
    assert not acceptable(judged, MatchingSettings(accept_score=0.3, margin=0.1))


def test_popularity_never_outvotes_a_year() -> None:
    asked = replace(QUERY, title="Milk", year=2008, directors=())
    right = Candidate(1, "Milk", year=2008, popularity=0.1, detailed=True)
    famous = Candidate(2, "Milk", year=2009, popularity=900.0, detailed=True)
    assert judge(asked, [famous, right])[0].candidate is right


def accepted(query: FilmQuery, *candidates: Candidate) -> bool:
    return acceptable(judge(query, candidates), SETTINGS)


class TestWhatIsAccepted:
    """More than a title must speak for a film."""

    def test_a_title_alone_is_a_question(self) -> None:
        assert not accepted(FilmQuery("q", "Poor Things"), FILM)
        assert accepted(FilmQuery("q", "Poor Things", directors=QUERY.directors), FILM)

    def test_the_year_of_the_edition_stands_in_for_the_films(self) -> None:
        assert accepted(FilmQuery("q", "Poor Things", festival="venice", edition=2023), FILM)

    def test_a_year_needs_the_whole_title(self) -> None:
        asked = replace(QUERY, directors=(), title="Poor Thngs")
        assert not accepted(asked, FILM)
        assert accepted(replace(asked, directors=QUERY.directors), FILM)

    def test_what_a_menu_says_is_not_a_film_with_an_article(self) -> None:
        assert not accepted(FilmQuery("q", "Menu", year=2022), Candidate(3, "The Menu", year=2022, popularity=9.0, detailed=True))

    def test_two_films_of_one_title_and_year_are_a_question_however_famous_one_is(self) -> None:
        famous = Candidate(3, "Poor Things", year=2023, popularity=900.0, detailed=True)
        assert not accepted(replace(QUERY, directors=()), famous, replace(famous, tmdb_id=4, popularity=0.0))

    def test_fame_raises_a_question_where_no_director_answers_it(self) -> None:
        asked = replace(QUERY, directors=())
        obscure = Candidate(3, "Poor Things", year=2023, popularity=0.3, detailed=True)
        famous = Candidate(4, "Poor Things", year=2024, popularity=9.0)
        assert accepted(asked, obscure)
        assert not accepted(asked, obscure, famous)
        assert accepted(asked, obscure, replace(famous, year=1999))
        assert accepted(QUERY, FILM, famous)

    def test_a_director_makes_up_for_half_a_title_only_beyond_doubt(self) -> None:
        asked = replace(QUERY, title="Battle of the")
        film = replace(FILM, title="Battle of the Sexes")
        assert accepted(asked, film)
        assert not accepted(replace(asked, year=2021), film)

    def test_a_part_of_a_serial_gives_way_to_one_of_a_nearer_year(self) -> None:
        asked = FilmQuery("q", "Slow River", year=2008, directors=("A. Walker",))
        first = Candidate(3, "Slow River", year=2005, directors=("A. Walker",), detailed=True)
        second = Candidate(4, "Slow River: Upstream", year=2008)
        assert accepted(asked, first)
        assert not accepted(asked, first, second)

    def test_the_directors_of_a_record_that_lists_none_neither_help_nor_forbid(self) -> None:
        bare = replace(FILM, directors=())
        assert accepted(QUERY, bare)
        assert not accepted(replace(QUERY, year=None), bare)


def test_the_weights_say_who_they_are_and_every_feature_has_one() -> None:
    assert weights().version == version()
    assert weights().fitted["title_to_100"] > 0
    assert not set(weights().fitted) & set(weights().by_hand)
    with pytest.raises(KeyError):
        weights().of("moon")


class TestYears:
    def test_a_ceremony_shows_the_films_of_the_year_before(self) -> None:
        asked = FilmQuery("q", "Nomadland", year=2021, festival="Academy Awards, USA")
        assert meaning_of(asked).mode == -1
        assert score(asked, Candidate(1, "Nomadland", year=2020)) > score(asked, Candidate(1, "Nomadland", year=2021))

    def test_berlin_shows_the_year_before_nearly_as_often(self) -> None:
        asked = FilmQuery("q", "Afire", year=2023, festival="Berlinale")
        assert years_off(asked, 2022) == years_off(asked, 2023) == 0
        assert years_off(asked, 2021) == 1

    def test_with_its_edition_the_year_is_the_films_own(self) -> None:
        asked = FilmQuery("q", "Nomadland", year=2020, festival="oscars", edition=2021)
        assert meaning_of(asked).mode == 0

    def test_an_unknown_festival_still_has_editions(self) -> None:
        asked = FilmQuery("q", "Some Film", year=2023, festival="Festival of Nowhere")
        assert meaning_of(asked).mode == 0
        assert years_off(asked, 2022) == 0

    def test_no_year_is_no_evidence(self) -> None:
        assert years_off(FilmQuery("q", "Ariel"), 1988) is None


class TestImdbId:
    ASKED = FilmQuery("q", "Stealth", year=2006, directors=("Lionel Baier",), imdb_id="tt0492481")

    def test_its_own_id_settles_year_and_spelling_of_names(self) -> None:
        film = Candidate(1, "Stealth", year=2000, imdb_id="tt0492481", directors=("L. B.",), detailed=True)
        evidence = judge(self.ASKED, [film])[0]
        assert evidence.confirmed
        assert evidence.contradictions == ()
        assert evidence.score > 0.9

    def test_an_id_of_another_film_is_doubted(self) -> None:
        other = Candidate(1, "Garbage Truck", year=2005, imdb_id="tt0492481", directors=("Rob Cohen",), detailed=True)
        evidence = judge(self.ASKED, [other])[0]
        assert not evidence.confirmed
        assert "nothing else fits" in evidence.contradictions[-1]

    def test_a_film_that_carries_another_id_is_refused(self) -> None:
        other = Candidate(1, "Stealth", year=2006, imdb_id="tt0382992", directors=("Lionel Baier",), detailed=True)
        assert "carries another IMDb id" in objections(self.ASKED, other)[0]

    def test_an_id_alone_is_enough(self) -> None:
        film = Candidate(1, "Garçon stupide", year=2004, imdb_id="tt0396610", detailed=True)
        assert acceptable(judge(FilmQuery("q", "", imdb_id="tt0396610"), [film]), SETTINGS)


candidates = st.builds(
    Candidate,
    tmdb_id=st.integers(1, 5),
    title=st.sampled_from(["Mother", "Mother!", "The Mother", "Another", "Father", ""]),
    year=st.none() | st.integers(2005, 2012),
    directors=st.sampled_from([(), ("Bong Joon-ho",), ("Albert Brooks",)]),
    popularity=st.floats(0, 500),
    detailed=st.just(True),
)
pools = st.lists(candidates, max_size=6, unique_by=lambda candidate: candidate.tmdb_id)
asked_for = st.builds(
    FilmQuery,
    id=st.just("q"),
    title=st.sampled_from(["Mother", "Madre", "mother"]) | st.text(max_size=12),
    year=st.none() | st.integers(2005, 2012),
    directors=st.sampled_from([(), ("Joon-ho Bong",)]),
)


@settings(deadline=None)
@given(asked_for, pools, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(query: FilmQuery, pool: list[Candidate], random: object) -> None:
    shuffled = list(pool)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(query, pool) == judge(query, shuffled)


@settings(deadline=None)
@given(asked_for, pools, candidates)
def test_one_more_candidate_never_helps_another(query: FilmQuery, pool: list[Candidate], more: Candidate) -> None:
    more = replace(more, tmdb_id=99)
    before = {evidence.candidate.tmdb_id: evidence.score for evidence in judge(query, pool)}
    after = {evidence.candidate.tmdb_id: evidence.score for evidence in judge(query, [*pool, more])}
    assert all(after[tmdb_id] <= before[tmdb_id] + 1e-12 for tmdb_id in before)


@settings(deadline=None)
@given(asked_for, pools)
def test_scores_are_shares_of_one(query: FilmQuery, pool: list[Candidate]) -> None:
    scores = [evidence.score for evidence in judge(query, pool)]
    assert all(0 <= one <= 1 for one in scores)
    assert sum(scores) <= 1 + 1e-9
    assert scores == sorted(scores, reverse=True)


@settings(deadline=None)
@given(asked_for, pools)
def test_a_better_candidate_never_lowers_the_winner(query: FilmQuery, pool: list[Candidate]) -> None:
    judged = judge(query, pool)
    if not judged or query.year is None or not query.directors:
        return
    best = judged[0]
    better = replace(best.candidate, year=query.year, directors=query.directors)
    again = judge(query, [better if one is best.candidate else one for one in pool])
    assert again[0].candidate is better
    assert again[0].score >= best.score - 1e-12


@settings(deadline=None)
@given(st.text(), st.none() | st.integers(1870, 2199), st.lists(st.text(), max_size=2), pools)
def test_any_text_gets_an_answer(title: str, year: int | None, directors: list[str], pool: list[Candidate]) -> None:
    judged = judge(FilmQuery("q", title, year=year, directors=tuple(directors)), pool)
    assert len(judged) == len(pool)
    assert acceptable(judged, SETTINGS) in (True, False)
