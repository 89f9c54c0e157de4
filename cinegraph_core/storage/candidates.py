"""The candidates that a decision was made from, best first."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, delete

from cinegraph_core.records import ScoredCandidate
from cinegraph_core.storage.tables import MatchCandidateRow


def add_candidates(session: Session, decision_id: int, candidates: Iterable[ScoredCandidate]) -> None:
    """Store the candidates of a decision that has none, in the order given."""
    for rank, scored in enumerate(candidates, start=1):
        said = scored.candidate
        session.add(
            MatchCandidateRow(
                decision_id=decision_id,
                rank=rank,
                tmdb_id=said.tmdb_id,
                title=said.title,
                original_title=said.original_title,
                year=said.year,
                imdb_id=said.imdb_id,
                score=scored.score,
                why=list(scored.why),
            )
        )
    session.flush()


def forget_candidates(session: Session, decision_id: int) -> None:
    """Remove the candidates of a decision that is about to be replaced or removed."""
    session.exec(delete(MatchCandidateRow).where(col(MatchCandidateRow.decision_id) == decision_id))
