"""What became of the pages of an edition, and whether the edition is whole by it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session, select

from cinegraph_core.records import Page, PageOutcome
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.tables import EditionPageRow, EditionRow

ANSWERED: frozenset[PageOutcome] = frozenset({"ok", "absent", "no_data"})
"""Outcomes of a page that has said what it has to say."""


def note_pages(session: Session, edition_id: int, pages: Mapping[Page, str], *, now: float) -> None:
    """Remember what became of each page; one that failed keeps the count of what it said when it answered.

    A remark says why an answered page is not believed; such a page is noted as ``layout_changed``.
    """
    rows = session.exec(select(EditionPageRow).where(EditionPageRow.edition_id == edition_id)).all()
    known = {(row.source, row.url): row for row in rows}
    for page, remark in pages.items():
        row = known.get((page.source, page.url)) or EditionPageRow(
            edition_id=edition_id, source=page.source, url=page.url, outcome=page.outcome, fetched_at=utc(now)
        )
        row.outcome, row.fetched_at = "layout_changed" if remark else page.outcome, utc(now)
        row.detail = "; ".join(filter(None, (page.detail, remark)))
        if row.outcome == "ok":
            row.nominations = page.nominations
        session.add(row)
        known[page.source, page.url] = row
    session.flush()
    _forget_unasked(session, known, pages)


def outcomes_of(session: Session, edition_id: int) -> dict[tuple[str, str], str]:
    """Return by source and URL what became of each page of an edition the last time it was fetched."""
    rows = session.exec(select(EditionPageRow).where(EditionPageRow.edition_id == edition_id))
    return {(row.source, row.url): row.outcome for row in rows}


def settle(session: Session, edition: EditionRow) -> None:
    """Set an edition's status from all its pages.

    It is ``complete`` when each has answered. A page that answered once and fails now changes nothing, because what it said
    is kept; one that never answered, or is not believed now, makes the edition ``partial``.
    """
    rows = session.exec(select(EditionPageRow).where(EditionPageRow.edition_id == edition.id)).all()
    open_pages = [row for row in rows if row.outcome not in ANSWERED]
    if not open_pages:
        edition.status = "complete"
    elif any(row.nominations == 0 or row.outcome == "layout_changed" for row in open_pages):
        edition.status = "partial"
    session.add(edition)
    session.flush()


def _forget_unasked(session: Session, known: Mapping[tuple[str, str], EditionPageRow], pages: Mapping[Page, str]) -> None:
    """Drop pages that never answered and are not asked for any more: their source has read everything elsewhere."""
    asked = {(page.source, page.url) for page in pages}
    unread = {page.source for page in pages if page.outcome not in ANSWERED}
    sources = {page.source for page in pages} - unread
    for key, row in known.items():
        if key not in asked and row.source in sources and row.outcome not in ANSWERED and row.nominations == 0:
            session.delete(row)
    session.flush()
