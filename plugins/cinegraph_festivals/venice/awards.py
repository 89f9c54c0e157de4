"""La Biennale's awards news, ``/en/news/official-awards-{81st}-venice-international-film-festival``: free text.

A paragraph is an award if it opens with the award's name, closed by "to:" or a colon, and the name is printed in capitals
or bold or a title in italics follows. What follows is one of::

    TITLE (ENGLISH TITLE) by DIRECTOR (COUNTRIES)                     and several of them
    NAME in the film TITLE by DIRECTOR (COUNTRIES)                    acting
    NAME and NAME for the film TITLE (COUNTRIES)                      directing, writing
    NAME                                                              lifetime achievement

Everything printed there has won. Titles stay in the capitals they are printed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parsel import Selector

from cinegraph_core import LayoutChangedError, Nomination, PageInput, PageResult, Statement
from cinegraph_festivals.text import KeyMaker, collapse, page_text
from cinegraph_festivals.venice.edition import check_title, edition_number, ordinal, statement
from cinegraph_festivals.venice.recipients import MARK_END, MARK_START, recipients

_BLOCKS = """//*[self::h2 or self::h3 or self::h4 or self::h5 or self::p or self::li[not(.//p)]][
    not(ancestor::nav or ancestor::header or ancestor::footer or ancestor::aside)]"""
_AWARD_WORD = re.compile(r"\b(?:LIONS?|PRIZE|AWARD|CUP|COPPA|MENTION|PREMIO|LEONE|OSELLA)\b", re.IGNORECASE)
_STATEMENT = re.compile(rf"(?P<award>[^:{MARK_START}]+?)(?:\s+to)?\s*:\s*(?P<rest>.*)")
_WITHOUT_COLON = re.compile(rf"(?P<award>[^:{MARK_START}]+?)\s+to\s+(?P<rest>.+)")
_SECTION = re.compile(
    r"(?P<competition>venezia\s+\d+(?:\s+competition)?)|orizzonti(?:\s+extra)?|venice (?:classics|immersive|spotlight)|"
    r"biennale college(?:\s+\w+)?|lion of the future",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"[\W\d]*[A-Z]{2,}\b")
_LONGEST_AWARD = 160


@dataclass(frozen=True, slots=True)
class _Award:
    name: str
    section: str | None
    rest: str
    printed: str


def read_awards(page: PageInput) -> PageResult:
    """Return one nomination per award paragraph.

    Raises :class:`LayoutChangedError` where the title names neither the year nor the edition's number, or no paragraph
    is an award.
    """
    url, year = page.answer.url, page.request.context["year"]
    document = Selector(text=page_text(page.answer))
    number = edition_number(year)
    check_title(document, (str(year), *((ordinal(number),) if number else ())), url)
    source, keys = statement(page, "awards_news"), KeyMaker()
    nominations = tuple(_nomination(award, source, keys) for award in _awards(document))
    if not nominations:
        raise LayoutChangedError(f"no paragraph of {url} reads like an award (NAME OF THE AWARD to: …)", url=url)
    return PageResult(nominations=nominations, number=number)


def _awards(document: Selector) -> Iterator[_Award]:
    section, waiting = None, ""
    for block in document.xpath(_BLOCKS):
        text, bold = collapse(_marked(block.root)), collapse(block.xpath("string(.//strong | .//b)").get())
        is_heading = block.root.tag not in {"p", "li"}
        if award := _award(text, bold, section) or _award(f"{waiting} {text}", waiting, section):
            waiting = "" if award.rest else award.printed
            if award.rest:
                yield award
        # A line that stands alone opens a section, or names the award whose winner the next paragraph tells.
        elif text and (is_heading or text == bold):
            waiting = f"{text}:" if _is_award_alone(text) else ""
            section = _section(text) or (None if is_heading and not waiting else section)


def _is_award_alone(text: str) -> bool:
    return bool(_AWARD_WORD.search(text)) and not _SECTION.fullmatch(text)


def _award(text: str, bold: str, section: str | None) -> _Award | None:
    match = _STATEMENT.fullmatch(text.strip()) or _WITHOUT_COLON.fullmatch(text.strip())
    if match is None:
        return None
    name = collapse(match["award"])
    opens_bold = bool(_AWARD_WORD.search(bold)) and name.startswith(bold.rstrip(": ").removesuffix(" to"))
    stands_out = opens_bold or _CAPITALS.match(name) or MARK_START in match["rest"]
    if not stands_out or not _AWARD_WORD.search(name) or len(name) > _LONGEST_AWARD:
        return None
    return _Award(name=name, section=section, rest=match["rest"], printed=text.strip())


def _section(heading: str) -> str | None:
    match = _SECTION.fullmatch(heading)
    if match is None:
        return None
    return "competition" if match["competition"] else heading.lower()


def _nomination(award: _Award, source: Statement, keys: KeyMaker) -> Nomination:
    films, people = recipients(award.rest, award=award.name, section=award.section)
    titles, names = tuple(film.title for film in films), tuple(person.name for person in people)
    return Nomination(
        key=keys.key(award.name, award.section, titles, names),
        source=source,
        section=award.section,
        award=award.name,
        is_winner=True,
        films=films,
        people=people,
        as_printed=award.printed.translate({ord(MARK_START): None, ord(MARK_END): None}),
    )


def _marked(element: Any) -> str:
    """Return the element's text with its emphasised parts, the titles, between marks and its line breaks as blanks."""
    if not isinstance(element.tag, str):
        return ""
    parts = [element.text or ""]
    for child in element:
        parts += [_marked(child), child.tail or ""]
    text = "".join(parts)
    if element.tag == "br":
        return " "
    return f"{MARK_START}{text}{MARK_END}" if element.tag in ("em", "i") and text.strip() else text
