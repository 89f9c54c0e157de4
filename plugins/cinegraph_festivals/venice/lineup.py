"""La Biennale's line-up pages, ``/en/cinema/{year}/{slug}``: one card per film.

Only the site's own film cards (``article.node-film``) are read: menus, carousels and headings hold titles as well, and
none of them is a selection. A section is named like the address of its page: ``competition``, ``out of competition``,
``orizzonti``; shorts shown under a heading of their own take that heading.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from parsel import Selector

from cinegraph_core import (
    Film,
    FilmKind,
    LayoutChangedError,
    NoDataError,
    Nomination,
    PageInput,
    PageResult,
    Person,
    Statement,
)
from cinegraph_festivals.text import KeyMaker, collapse, page_text, runtime_minutes, split_countries, split_names, split_title
from cinegraph_festivals.venice.edition import check_title, edition_number, statement

_CARDS = """//article[contains(concat(" ", normalize-space(@class), " "), " node-film ")][
    not(ancestor::nav or ancestor::header or ancestor::footer or ancestor::aside or
        ancestor::*[contains(@class, "carousel") or contains(@class, "slider") or contains(@class, "swiper")])]"""
_HEADING = "preceding::*[self::h2 or self::h3 or self::h4][not(ancestor::article or ancestor::nav or ancestor::header)][1]"
_LINK = re.compile(r"/en/cinema/(?P<year>\d{4})/(?P<slug>[^/?#]+)(?:/[^?#]*)?")
_YEAR = re.compile(r"\d{4}")
_NOT_A_COUNTRY = re.compile(r"^(?:main\s+)?cast\b|^with\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Card:
    """A film card: its markup, the address of the film's own page where it links to one, and the title (maybe empty)."""

    markup: Selector
    link: re.Match[str] | None
    title: str


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    kind: FilmKind


@dataclass(frozen=True, slots=True)
class _Facts:
    countries: tuple[str, ...]
    year: int | None
    runtime_minutes: int | None


def read_lineup(page: PageInput) -> PageResult:
    """Return one selection per film card, keyed by the path of the film's own page.

    ``truncated`` names the cards without a title. Raises :class:`LayoutChangedError` where the page's title does not name the
    year, there is no card of that year with a title, or the site led away from its section pages, and :class:`NoDataError`
    where it led to a section page that is read by itself.
    """
    url, year, slug = page.answer.url, page.request.context["year"], page.request.context["slug"]
    _check_address(url, slug, page.request.context["slugs"])
    document = Selector(text=page_text(page.answer))
    check_title(document, (str(year),), url)
    source, keys = statement(page, "lineup_card"), KeyMaker()
    cards = [card for card in map(_card, document.xpath(_CARDS)) if card.link is None or int(card.link["year"]) == year]
    selections: dict[str, Nomination] = {}
    for card in cards:
        if card.title:
            selection = _selection(card, source=source, keys=keys, slug=slug)
            selections.setdefault(selection.key, selection)
    if not selections:
        raise LayoutChangedError(f"no film card of {year} on {url} has a title; a section page has one card per film", url=url)
    truncated = _untitled([card for card in cards if not card.title])
    return PageResult(nominations=tuple(selections.values()), number=edition_number(year), truncated=truncated)


def _check_address(url: str, slug: str, slugs: Collection[str]) -> None:
    address = _LINK.search(url)
    if address is None:
        raise LayoutChangedError(f"the section page {slug!r} led to {url}, which is no section page", url=url)
    if address["slug"] != slug and address["slug"] in slugs:
        raise NoDataError(f"the section page {slug!r} led to {url}, which is read by itself", url=url)


def _card(markup: Selector) -> _Card:
    return _Card(
        markup,
        _LINK.search(markup.xpath(".//a[contains(@href, '/en/cinema/')]/@href").get("")),
        collapse(markup.xpath("string(.//div[contains(@class, 'lb-item-title')])").get()),
    )


def _untitled(cards: Sequence[_Card]) -> str:
    """Return what a page left out with its cards without a title, empty if it has none."""
    if not cards:
        return ""
    where = ", ".join(card.link[0] if card.link else "no link" for card in cards)
    return f"{len(cards)} film card{'s' if len(cards) > 1 else ''} without a title ({where})"


def _selection(card: _Card, *, source: Statement, keys: KeyMaker, slug: str) -> Nomination:
    description = collapse(" ".join(card.markup.xpath(".//div[contains(@class, 'lb-description')]//text()").getall()))
    directors = collapse(card.markup.xpath("string(.//div[contains(@class, 'lb-description')]//strong)").get()) or "Director"
    names = split_names(directors.removeprefix("Director"))
    section = _section(card.markup, card.link["slug"] if card.link else slug)
    title, facts = split_title(card.title), _facts(description, directors)
    film = Film(
        title=title.title,
        original_title=title.original,
        year=facts.year,
        directors=names,
        countries=facts.countries,
        runtime_minutes=facts.runtime_minutes,
        kind="series" if title.is_series else section.kind,
    )
    return Nomination(
        key=card.link[0].rstrip("/") if card.link else keys.key(section.name, card.title, names),
        source=source,
        section=section.name,
        films=(film,),
        people=tuple(Person(name=name, role="director") for name in names),
        as_printed=" | ".join(filter(None, (card.title, description))),
    )


def _section(card: Selector, slug: str) -> _Section:
    heading = collapse(card.xpath(f"string({_HEADING})").get()).lower()
    if re.search(r"\bshorts?\b", heading):
        return _Section(heading, "short")
    if slug.startswith("venezia-") and slug.endswith("-competition"):
        return _Section("competition", "movie")
    name = "out of competition" if slug == "out-competition" else slug.replace("-", " ")
    return _Section(name, "series" if re.search(r"\bseries\b", heading) else "unknown")


def _facts(description: str, directors: str) -> _Facts:
    countries: list[str] = []
    year = minutes = None
    for part in map(collapse, description.partition(directors)[2].split("/")):
        if _YEAR.fullmatch(part):
            year = int(part)
        elif runtime_minutes(part) is not None:
            minutes = runtime_minutes(part)
        elif part and not _NOT_A_COUNTRY.search(part):
            countries.extend(split_countries(part))
    return _Facts(tuple(countries), year, minutes)
