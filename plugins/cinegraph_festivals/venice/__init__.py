"""The Venice International Film Festival: La Biennale's own pages first, IMDb's event page as second source.

La Biennale keeps line-up and awards pages of the last years only, under names that change a little from year to year;
each of them may be absent. Earlier editions come from IMDb alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cinegraph_core import EditionPlan, PageInput, PageRequest, PageResult, ServiceSpec, Source, UsageError, hookimpl
from cinegraph_festivals.aliases import VENICE_ALIASES
from cinegraph_festivals.arguments import check_arguments, choice, requested_years, this_year
from cinegraph_festivals.imdb import event_page
from cinegraph_festivals.imdb.event import read_event
from cinegraph_festivals.venice.access import judge
from cinegraph_festivals.venice.awards import read_awards
from cinegraph_festivals.venice.edition import COUNTED_SINCE, FIRST_YEAR, edition_number, ordinal
from cinegraph_festivals.venice.lineup import read_lineup

IMDB_EVENT = "ev0000681"

ARGUMENTS: Mapping[str, str] = {
    "year": "one edition, e.g. year=2024",
    "years": "several editions, e.g. years=2019-2024",
    "missing": "missing=true fetches only what is not stored yet; without a year, of all years",
    "via": "official (La Biennale only), imdb (IMDb only) or both (the default)",
}

# The site has used both of the first two; an edition has one of them, and the other answers 404.
SLUGS = (
    "out-of-competition",
    "out-competition",
    "venice-spotlight",
    "orizzonti",
    "orizzonti-extra",
    "venice-classics",
    "biennale-college-cinema",
)
"""The section pages of an edition beside its competition, as the last part of their address."""


@hookimpl
def service() -> Iterator[ServiceSpec]:
    """Register La Biennale's site."""
    yield ServiceSpec(name="venice", base_url="https://www.labiennale.org", kind="site", judge=judge)


@hookimpl
def source() -> Source:
    """Register the festival."""
    return Source(
        name="venice",
        spider="cinegraph_spiders.venice:VeniceSpider",
        plan=plan,
        read=read,
        arguments=ARGUMENTS,
        festivals={"venice": "Venice International Film Festival"},
        services=("venice", "imdb"),
        aliases=VENICE_ALIASES,
    )


def plan(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    """Yield one edition per year; raises :class:`UsageError` for a wrong argument.

    A year in which no festival was held (1933, the war, 1973 and others) is planned like any other: its pages are absent.
    """
    check_arguments("venice", arguments, ARGUMENTS)
    via = choice("venice", arguments, "via", ("official", "imdb", "both"))
    first = COUNTED_SINCE if via == "official" else FIRST_YEAR
    every = range(first, this_year() + 1) if "missing" in arguments else ()
    for year in requested_years("venice", arguments, first=FIRST_YEAR, default=every):
        if year < first:
            raise UsageError(f"venice: there are no official pages of {year}, only since {first}; use via=imdb")
        official = _official_pages(year) if via != "imdb" else ()
        second = (event_page(IMDB_EVENT, year, festival="venice"),) if via != "official" else ()
        yield EditionPlan(festival="venice", year=year, pages=(*official, *second))


def read(page: PageInput) -> PageResult:
    """Return what a page of the festival says; raises what the page's own reader raises."""
    readers = {"fetch_lineup": read_lineup, "fetch_awards": read_awards, "fetch_event": read_event}
    return readers[page.request.operation](page)


def _official_pages(year: int) -> Iterator[PageRequest]:
    number = edition_number(year)
    if number is None:
        return
    slugs = (f"venezia-{number}-competition", *SLUGS)
    for slug in slugs:
        yield _page(f"/en/cinema/{year}/{slug}", "fetch_lineup", {"year": year, "slug": slug, "slugs": slugs})
    awards = f"/en/news/official-awards-{ordinal(number)}-venice-international-film-festival"
    yield _page(awards, "fetch_awards", {"year": year})


def _page(path: str, operation: str, context: Mapping[str, object]) -> PageRequest:
    return PageRequest(
        service="venice", path=path, operation=operation, statement="venice_official", context=context, required=False
    )
