"""The bundled catalogue: whole in itself, small, and true to the shared one."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest

from cinegraph_replica.catalogue import DATA, Catalogue, Edition, Film, load_catalogue


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def keys_of(edition: Edition) -> set[str]:
    listed = {key for section in edition.sections for key in (*section.films, *section.shorts)}
    return listed | {award.film for award in edition.awards if award.film}


def test_every_id_occurs_in_the_shared_catalogue_for_the_same_film(catalogue: Catalogue, shared: Path) -> None:
    with gzip.open(shared / "data/catalogue/tmdb_catalogue.csv.gz", "rt", encoding="utf-8", newline="") as file:
        imdb_ids = {int(row["tmdb_id"]): row["imdb_id"] for row in csv.DictReader(file)}
    wrong = [
        film.key
        for film in catalogue.films.values()
        if (film.tmdb_id is not None and film.tmdb_id not in imdb_ids)
        or (film.imdb_id is not None and imdb_ids.get(film.tmdb_id or 0) != film.imdb_id)
    ]
    assert wrong == []


def test_the_catalogue_stays_within_400_films(catalogue: Catalogue) -> None:
    assert 250 <= len(catalogue.films) <= 400


@pytest.mark.parametrize("field", ["tmdb_id", "imdb_id"])
def test_no_id_belongs_to_two_films(catalogue: Catalogue, field: str) -> None:
    ids = Counter(getattr(film, field) for film in catalogue.films.values())
    del ids[None]
    assert [number for number, times in ids.items() if times > 1] == []


def test_every_line_of_the_film_file_is_a_film_of_its_own(catalogue: Catalogue) -> None:
    lines = (DATA / "films.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(catalogue.films)


def test_every_film_of_an_edition_exists(catalogue: Catalogue) -> None:
    missing = {(e.festival, e.year, key) for e in catalogue.editions for key in keys_of(e) if key not in catalogue.films}
    assert missing == set()


def test_no_film_stands_twice_in_an_edition(catalogue: Catalogue) -> None:
    for edition in catalogue.editions:
        listed = Counter(key for section in edition.sections for key in (*section.films, *section.shorts))
        assert [key for key, times in listed.items() if times > 1] == [], (edition.festival, edition.year)


def test_every_section_that_competes_for_an_award_exists(catalogue: Catalogue) -> None:
    for edition in catalogue.editions:
        assert all(edition.section(award.nominees) for award in edition.awards if award.nominees), edition.year


def test_three_festivals_of_three_years_are_there(catalogue: Catalogue) -> None:
    held = {(edition.festival, edition.year) for edition in catalogue.editions if edition.sections}
    assert held == {(festival, year) for festival in ("venice", "cannes", "berlin") for year in (2022, 2023, 2024)}


def test_venice_2024_has_what_the_demo_shows(catalogue: Catalogue) -> None:
    edition = catalogue.edition("venice", 2024)
    assert edition is not None
    films = [catalogue.films[key] for key in keys_of(edition)]
    assert 60 <= sum(len(s.films) + len(s.shorts) for s in edition.sections) + len(edition.awards) <= 100
    assert sum(film.kind == "short" for film in films) >= 2
    assert any(len(film.directors) == 2 for film in films)
    assert any(not film.original.isascii() and not film.original[0].isascii() for film in films)
    assert any(award.people and award.film is None for award in edition.awards)
    assert {award.role for award in edition.awards} >= {"actor", "director", "writer"}
    assert any(film.tmdb_id is None for film in films)
    titles = Counter(film.title for film in catalogue.films.values() if film.tmdb_id is not None)
    assert any(titles[film.title] > 1 for film in films)


@pytest.mark.parametrize(
    ("film", "printed"),
    [
        (Film("k", "Love", 2024, original_title="Kjærlighet"), "Kjærlighet (Love)"),
        (Film("k", "El Conde", 2023, original_title="El conde"), "El Conde"),
        (Film("k", "No Bears", 2022, original_title="خرس نیست", printed="Khers nist (No Bears)"), "Khers nist (No Bears)"),
        (Film("k", "Queer", 2024), "Queer"),
    ],
)
def test_a_festival_prints_the_original_title_and_the_english_one_in_brackets(film: Film, printed: str) -> None:
    assert film.as_printed == printed
