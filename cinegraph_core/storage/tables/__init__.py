"""Every table, as SQLModel classes.

Times are aware UTC. A film or person never carries an outside id in its own row: those live in ``external_ids``. What a
source printed stands in ``nomination_sources``; the rows of ``nominations`` are what the sources say together.
"""

from __future__ import annotations

from cinegraph_core.storage.tables.base import Table
from cinegraph_core.storage.tables.door import CachedAnswerRow, CacheTallyRow, CallCounterRow, CallLeaseRow, ServiceControlRow
from cinegraph_core.storage.tables.festivals import (
    AwardRow,
    CategoryRow,
    EditionPageRow,
    EditionRow,
    FestivalRow,
    NominationFilmRow,
    NominationPersonRow,
    NominationRow,
    NominationSourceRow,
    SectionRow,
)
from cinegraph_core.storage.tables.films import (
    PARKED,
    ExternalIdRow,
    FilmRow,
    FilmTitleRow,
    MatchCandidateRow,
    MatchDecisionRow,
    PersonRow,
)
from cinegraph_core.storage.tables.operations import AuditRow, DatabaseStampRow, HealthStatusRow, MetricRow, ServiceStateRow

__all__ = [
    "PARKED",
    "AuditRow",
    "AwardRow",
    "CacheTallyRow",
    "CachedAnswerRow",
    "CallCounterRow",
    "CallLeaseRow",
    "CategoryRow",
    "DatabaseStampRow",
    "EditionPageRow",
    "EditionRow",
    "ExternalIdRow",
    "FestivalRow",
    "FilmRow",
    "FilmTitleRow",
    "HealthStatusRow",
    "MatchCandidateRow",
    "MatchDecisionRow",
    "MetricRow",
    "NominationFilmRow",
    "NominationPersonRow",
    "NominationRow",
    "NominationSourceRow",
    "PersonRow",
    "SectionRow",
    "ServiceControlRow",
    "ServiceStateRow",
    "Table",
]
