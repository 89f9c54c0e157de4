"""The palmarès: one page per edition, one award per section of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from parsel import Selector

from cinegraph_core import (
    EditionPlan,
    Film,
    LayoutChangedError,
    Nomination,
    PageInput,
    PageRequest,
    PageResult,
    Person,
    Statement,
    UsageError,
)

FIRST_YEAR = 1946
ARGUMENTS = {"year": "the edition's year, e.g. year=2024"}


def plan(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    """Yield the edition asked for; raises :class:`UsageError` for an argument that makes no sense."""
    year = arguments.get("year", "")
    if set(arguments) - set(ARGUMENTS) or not re.fullmatch(r"\d{4}", year) or int(year) < FIRST_YEAR:
        raise UsageError(f"locarno takes year=YYYY from {FIRST_YEAR} on and nothing else, not {dict(arguments)}")
    page = PageRequest(
        service="locarno", path=f"/palmares/{year}", operation="fetch_awards", statement="locarno_official", required=False
    )
    yield EditionPlan(festival="locarno", year=int(year), pages=(page,))


def read(page: PageInput) -> PageResult:
    """Return the awards of a page; raises :class:`LayoutChangedError` if there are none where they used to be."""
    document = Selector(text=page.answer.body.decode("utf-8"))
    source = Statement(
        name=page.request.statement,
        url=page.answer.url,
        parser="palmares",
        fetched_at=datetime.fromtimestamp(page.fetched_at, UTC),
        provenance=page.provenance,
    )
    nominations = tuple(_nomination(award, source) for award in document.css("section.award"))
    number = document.css("h1::text").re_first(r"(\d+)(?:st|nd|rd|th)")
    if not nominations or number is None:
        raise LayoutChangedError("no awards or no edition number where the palmarès used to have them", url=page.answer.url)
    return PageResult(nominations=nominations, number=int(number))


def _nomination(award: Selector, source: Statement) -> Nomination:
    film = award.css("a.film")
    return Nomination(
        key=f"{award.attrib['data-award']} {film.attrib['href']}",
        source=source,
        section="competition",
        award=award.css("h2::text").get(default="").strip(),
        is_winner=True,
        films=(
            Film(
                title=film.css("::text").get(default="").strip(),
                directors=tuple(award.css(".director::text").getall()),
                countries=tuple(award.css(".country::text").getall()),
                kind="movie",
            ),
        ),
        people=tuple(Person(name=name, role="nominee") for name in award.css(".winner::text").getall()),
        as_printed=" ".join(award.xpath("string()").get(default="").split()),
    )
