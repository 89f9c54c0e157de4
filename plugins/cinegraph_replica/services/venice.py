"""labiennale.org: line-up pages by section, and the news page with the official awards, in the site's own markup.

Beside the films a page has what a careless parser takes for films: menus, headings and a carousel of news.
"""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from cinegraph_replica.catalogue import Award, Catalogue, Edition, Film, Section

_RECENT_YEARS = 2

_PAGE = """<!DOCTYPE html>
<html lang="en" dir="ltr">
<head><meta charset="utf-8"><title>Biennale Cinema {year} | {title}</title></head>
<body>
<header>
<nav class="lb-menu"><h2>La Biennale di Venezia</h2><ul>
<li><h3><a href="/en/cinema/{year}">Biennale Cinema {year}</a></h3></li>
<li><h3><a href="/en/cinema/{year}/information">Information and tickets</a></h3></li>
<li><h3><a href="/en/cinema/{year}/juries">Juries</a></h3></li>
<li><h3><a href="/en/history">History</a></h3></li>
</ul></nav>
</header>
<main>
<h1>{title}</h1>
{content}
</main>
<footer><h4>Newsletter</h4><p><a href="/en/private/profile">Your profile</a></p></footer>
</body>
</html>
"""

_CAROUSEL = """<section class="lb-carousel"><h2>Read also</h2>
<article class="node node-news node-teaser"><a href="/en/news/{year}-selection" class="lb-entry-link lb-base-content">
<div class="lb-item-title">The line-up of Biennale Cinema {year}</div></a></article>
<article class="node node-news node-teaser"><a href="/en/news/{year}-tickets" class="lb-entry-link lb-base-content">
<div class="lb-item-title">Tickets and accreditation</div></a></article>
</section>"""

_CARD = """<article class="node node-film node-teaser">
<a href="/en/cinema/{year}/{slug}/{key}" class="lb-entry-link lb-base-content">
<div class="lb-entry-wrapper">
<div class="lb-cta-wrap"><button class="lb-cta lb-cta-arrow-lg-2"><span>Read more</span></button></div>
<div class="lb-item-title">{title}</div>
<div class="lb-description">Director&nbsp;
<strong class="no-upper">{directors}</strong>
<br>{origin}
</div>
</div>
</a>
</article>"""


def routes(prefix: str, catalogue: Catalogue) -> list[Route]:
    """Return the routes of line-up and awards pages."""

    async def lineup(request: Request) -> HTMLResponse:
        edition = catalogue.edition("venice", request.path_params["year"])
        section = edition.section(request.path_params["slug"]) if edition else None
        if edition is None or section is None:
            return _missing()
        return HTMLResponse(_lineup(edition, section, catalogue))

    async def awards(request: Request) -> HTMLResponse:
        edition = next(
            (e for e in catalogue.editions if e.festival == "venice" and ordinal(e.number) == request.path_params["number"]), None
        )
        if edition is None or not edition.awards:
            return _missing()
        return HTMLResponse(_awards(edition, catalogue))

    return [
        Route(prefix + "/en/cinema/{year:int}/{slug}", lineup),
        Route(prefix + "/en/news/official-awards-{number}-venice-international-film-festival", awards),
    ]


def ordinal(number: int) -> str:
    """Return ``81st``, ``82nd``, ``83rd``, ``84th`` …."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _missing() -> HTMLResponse:
    return HTMLResponse(
        "<html><head><title>Page not found | La Biennale di Venezia</title></head><body><h1>Page not found</h1></body></html>",
        404,
    )


def _lineup(edition: Edition, section: Section, catalogue: Catalogue) -> str:
    parts = [_CAROUSEL.format(year=edition.year)]
    for heading, keys in ((section.name, section.films), (f"{section.name} Short Films", section.shorts)):
        if keys:
            parts.append(f"<h2>{escape(heading)}</h2>")
            parts += [_card(edition, section, catalogue.films[key]) for key in keys]
    return _PAGE.format(year=edition.year, title=escape(section.name), content="\n".join(parts))


def _card(edition: Edition, section: Section, film: Film) -> str:
    length = f"{film.runtime_minutes}’" if film.runtime_minutes else ""
    # Cards name a film's year only where it is an old one: restorations, retrospectives.
    year = str(film.year) if film.year and film.year < edition.year - _RECENT_YEARS else ""
    return _CARD.format(
        year=edition.year,
        slug=section.slug,
        key=film.key,
        title=escape(film.as_printed),
        directors=escape(", ".join(film.directors)),
        origin=escape(" / ".join(filter(None, (", ".join(film.countries), year, length)))),
    )


def _awards(edition: Edition, catalogue: Catalogue) -> str:
    parts = [_CAROUSEL.format(year=edition.year)]
    heading = None
    for award in edition.awards:
        if award.heading != heading:
            heading = award.heading
            parts.append(f"<h4>{escape(heading)}</h4>")
        parts.append(_paragraph(award, catalogue))
    title = f"Official awards of the {ordinal(edition.number)} Venice International Film Festival"
    return _PAGE.format(year=edition.year, title=title, content="\n".join(parts))


def _paragraph(award: Award, catalogue: Catalogue) -> str:
    """One award in the page's free text: the film first, or a person in or for a film, or a person alone."""
    prize, names = escape(award.printed), escape(" and ".join(award.people))
    if award.film is None:
        return f"<p><strong>{prize}</strong> to:<br />\n<strong>{names}</strong></p>"
    film = catalogue.films[award.film]
    title = f"<em>{escape(film.as_printed.upper())}</em>"
    directors = escape(" and ".join(film.directors))
    countries = f" ({escape(', '.join(film.countries))})" if film.countries else ""
    if not award.people:
        return f"<p><strong>{prize} </strong>to:<br />\n<strong>{title} </strong>by {directors}{countries}</p>"
    if award.role == "actor":
        return f"<p><strong>{prize}</strong>: {names} in the film {title} by {directors}{countries}</p>"
    return f"<p><strong>{prize}</strong> to: {names} for the film {title}{countries}</p>"
