"""Editions: what a festival printed, stored whole in one transaction, as often as it is read, and never reduced by accident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session, col, select

from cinegraph_core.errors import CinegraphError
from cinegraph_core.records import Edition, Provenance
from cinegraph_core.storage.audit import record_action
from cinegraph_core.storage.cleaning import clean_record
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.engine import lock_films
from cinegraph_core.storage.nominations import refresh
from cinegraph_core.storage.pages import ANSWERED, note_pages, outcomes_of, settle
from cinegraph_core.storage.register import FilmRegister
from cinegraph_core.storage.remembering import mark_changed
from cinegraph_core.storage.sharing import unite
from cinegraph_core.storage.stamp import refuse_fakes
from cinegraph_core.storage.statements import StatementBook, arranged
from cinegraph_core.storage.tables import EditionRow, FestivalRow, NominationSourceRow

__all__ = ["StoredEdition", "page_outcomes", "store_edition", "stored_years"]

EditionStatus = Literal["complete", "partial", "no_data", "parked", "failed"]
_WORST_FIRST: tuple[Provenance, ...] = ("mock", "fallback", "stale", "cache", "live")


@dataclass(frozen=True, slots=True)
class StoredEdition:
    """What became of an edition.

    ``status`` is the stored edition's (``complete`` | ``partial``), or, where this import brought nothing to store,
    ``no_data`` (the pages say there is nothing), ``parked`` (a quota or budget has parked what was left to read) or ``failed``
    (no page could be read). ``nomination_ids`` are those this import spoke of, in stored order; ``withdrawn`` counts rows of
    ``nomination_sources``. ``suspicious`` says in words which pages lost so much that nothing of them was withdrawn; until they
    are read well, or a person says that it is gone, the edition is ``partial``.
    """

    edition_id: int | None
    status: EditionStatus
    nomination_ids: tuple[int, ...] = ()
    withdrawn: int = 0
    suspicious: tuple[str, ...] = ()


def store_edition(
    session: Session, edition: Edition, *, aliases: Mapping[str, str], now: float, withdraw_by: str | None = None
) -> StoredEdition:
    """Store an edition with all its pages; doing it again changes nothing but the times.

    ``aliases`` says which awards and sections mean the same (:class:`cinegraph_core.storage.aliases.Meanings`).
    ``withdraw_by`` names the person who confirms that statements missing from an answered page are gone, however many; this is
    audited. An import without a nomination and without an answered page leaves nothing but the outcomes of its pages, and those
    only where the edition is known. Raises :class:`ProvenanceError` for fakes in a live database, and :class:`CinegraphError`
    if not every statement could be found again (then nothing is stored).
    """
    edition = clean_record(edition)
    for provenance in {nomination.source.provenance for nomination in edition.nominations}:
        refuse_fakes(session, provenance, f"{edition.festival} {edition.year}")
    lock_films(session)
    row = _find(session, edition.festival, edition.year, edition.instance)
    if not edition.nominations and not any(page.outcome == "ok" for page in edition.pages):
        return _store_silence(session, row, edition, now=now)
    row = _keep(session, edition, row, now=now)
    stored = _store_nominations(session, row, edition, aliases=aliases, now=now, withdraw_by=withdraw_by)
    session.flush()
    mark_changed(session, row.id)
    return stored


def _store_silence(session: Session, row: EditionRow | None, edition: Edition, *, now: float) -> StoredEdition:
    """Note what became of pages that said nothing; where they were all that a partial edition lacked, it is whole by it."""
    status = _without_words(edition)
    if row is None:
        return StoredEdition(None, status)
    note_pages(session, row.id, dict.fromkeys(edition.pages, ""), now=now)
    if status == "no_data" and row.status == "partial" and "ok" in outcomes_of(session, row.id).values():
        settle(session, row)
        status = "complete" if row.status == "complete" else "partial"
    return StoredEdition(row.id, status)


def _without_words(edition: Edition) -> EditionStatus:
    """Return what became of an edition of which no page said anything."""
    outcomes = {page.outcome for page in edition.pages}
    if outcomes and edition.complete:
        return "no_data"
    return "parked" if outcomes - ANSWERED == {"parked"} else "failed"


def stored_years(session: Session, festival: str, *, instance: int = 1) -> set[int]:
    """Return the years whose edition is stored whole; one that is partial is left out, so that it is fetched again."""
    query = select(EditionRow.year).join(FestivalRow).where(FestivalRow.key == festival, EditionRow.status == "complete")
    return set(session.exec(query.where(EditionRow.instance == instance)))


def page_outcomes(session: Session, festival: str, year: int, instance: int) -> dict[tuple[str, str], str]:
    """Return by source and URL what became of each page of an edition the last time; empty where the edition is unknown."""
    row = _find(session, festival, year, instance)
    return {} if row is None else outcomes_of(session, row.id)


def _store_nominations(
    session: Session, row: EditionRow, edition: Edition, *, aliases: Mapping[str, str], now: float, withdraw_by: str | None
) -> StoredEdition:
    nominations = arranged(edition.nominations)
    films = FilmRegister(session, row.id, nominations, now=now).resolve(nominations)
    book = StatementBook(session, row.id, aliases)
    before = book.current
    answered = [page for page in edition.pages if page.outcome == "ok"]
    book.rename(list(zip(nominations, films, strict=True)), answered)
    said = [book.write(*pair) for pair in zip(nominations, films, strict=True)]
    seen = {statement.id for statement in said}
    missing = {page: book.withdraw(page, seen, now=now, believe=withdraw_by is not None) for page in answered}
    gone = [statement for one in missing.values() for statement in one.withdrawn]
    if withdraw_by is not None and gone:
        _audit(session, edition, gone, who=withdraw_by, before=before, after=book.current, now=now)
    refresh(session, book.touched - unite(session, row.id))
    remarks = {page: one.remark for page, one in missing.items() if one.remark}
    note_pages(session, row.id, {page: remarks.get(page, "") for page in edition.pages}, now=now)
    settle(session, row)
    _check_conservation(session, row.id, seen, len(edition.nominations))
    return StoredEdition(
        row.id,
        "complete" if row.status == "complete" else "partial",
        tuple(dict.fromkeys(statement.nomination_id for statement in said)),
        len(gone),
        tuple(f"{page.url}: {remark}" for page, remark in remarks.items()),
    )


def _audit(
    session: Session,
    edition: Edition,
    gone: Sequence[NominationSourceRow],
    *,
    who: str,
    before: int,
    after: int,
    now: float,
) -> None:
    withdrawn = [{name: getattr(said, name) for name in ("source", "source_key", "url", "as_printed")} for said in gone]
    record_action(
        session,
        who=who,
        what="edition.withdraw",
        subject=f"{edition.festival} {edition.year}/{edition.instance}",
        before={"statements": before},
        after={"statements": after, "withdrawn": withdrawn},
        now=now,
    )


def _check_conservation(session: Session, edition_id: int, seen: set[int], printed: int) -> None:
    """Scraped = stored: every nomination of the import is a current statement, and no source has two of one nomination."""
    current = select(NominationSourceRow).where(
        NominationSourceRow.edition_id == edition_id, col(NominationSourceRow.withdrawn_at).is_(None)
    )
    kept = {(row.nomination_id, row.source) for row in session.exec(current) if row.id in seen}
    if len(kept) != printed:
        raise CinegraphError(
            f"{printed} nominations were scraped and {len(kept)} stored; nothing is kept, this is a bug in storage"
        )


def _find(session: Session, festival: str, year: int, instance: int) -> EditionRow | None:
    query = (
        select(EditionRow)
        .join(FestivalRow)
        .where(FestivalRow.key == festival, EditionRow.year == year, EditionRow.instance == instance)
    )
    return session.exec(query).first()


def _keep(session: Session, edition: Edition, row: EditionRow | None, *, now: float) -> EditionRow:
    """Create or update the edition's own row; :func:`settle` says whether it is whole."""
    said_by = {nomination.source.provenance for nomination in edition.nominations}
    provenance = next((worst for worst in _WORST_FIRST if worst in said_by), "live")
    if row is None:
        row = EditionRow(
            festival_id=_festival_id(session, edition.festival),
            year=edition.year,
            instance=edition.instance,
            status="partial",
            provenance=provenance,
            stored_at=utc(now),
            updated_at=utc(now),
        )
    row.number = edition.number if edition.number is not None else row.number
    row.name = edition.name or row.name
    row.provenance, row.updated_at = provenance if said_by else row.provenance, utc(now)
    session.add(row)
    session.flush()
    return row


def _festival_id(session: Session, key: str) -> int:
    row = session.exec(select(FestivalRow).where(FestivalRow.key == key)).first() or FestivalRow(key=key)
    session.add(row)
    session.flush()
    return row.id
