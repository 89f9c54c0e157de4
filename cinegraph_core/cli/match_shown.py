"""An answer of the matcher for people: the film, and how it was found where somebody wants to know."""

from __future__ import annotations

from cinegraph_core.cli.mode import titled
from cinegraph_core.cli.tables import print_table
from cinegraph_core.records import Explanation, LevelTried, Match, Weighed
from cinegraph_core.settings import Settings
from cinegraph_core.storage.stamp import is_fake

MOST_NAMED = 5
"""Found ids shown of each level; the others are counted."""


def show_match(found: Match, settings: Settings) -> None:
    """Print an answer with its candidates and, if it has one, its explanation."""
    level = f"level {found.level}, {found.strategy}" if found.level else found.reason or ""
    summary = f"{found.status.replace('_', ' ')}" + (f" ({level})" if level else "")
    if is_fake(found.provenance, settings.mode):
        summary += f" · {found.provenance.upper()} data"
    title = titled(f"{summary} · requests: {found.api_calls}", settings)
    if not found.candidates:
        print_table(title, (), ())
    else:
        _show_candidates(found, title)
    if found.explanation is not None:
        _show_explanation(found.explanation, settings)


def _show_candidates(found: Match, title: str) -> None:
    print_table(
        title,
        ("", "TMDb", "title", "year", "directors", "score", "why"),
        (
            (
                "✓" if one.candidate.tmdb_id == found.tmdb_id else "",
                one.candidate.tmdb_id,
                one.candidate.title,
                one.candidate.year,
                ", ".join(one.candidate.directors),
                f"{one.score:.2f}",
                "; ".join(one.why),
            )
            for one in found.candidates
        ),
        right=("TMDb", "score"),
    )


def _show_explanation(explanation: Explanation, settings: Settings) -> None:
    if not explanation.levels:
        print_table(titled("A person decided about this very query; nothing was asked", settings), (), ())
        return
    print_table(
        titled("Levels tried", settings),
        ("level", "asked", "new films", "verified", "requests", ""),
        (
            (
                f"{tried.level} {tried.strategy}",
                "\n".join(tried.asked) or "nothing",
                _named(tried),
                ", ".join(map(str, tried.verified)),
                tried.api_calls,
                "accepted" if tried.accepted else "",
            )
            for tried in explanation.levels
        ),
        right=("requests",),
    )
    print_table(
        titled("What the scores are made of (+3 makes a film twenty times as likely, -3 as unlikely)", settings),
        ("TMDb", "film", "score", "parts", "against it"),
        (
            (
                weighed.candidate.tmdb_id,
                f"{weighed.candidate.title} ({weighed.candidate.year or '?'})",
                f"{weighed.score:.3f}",
                _parts(weighed),
                "; ".join(weighed.contradictions),
            )
            for weighed in explanation.candidates
        ),
        right=("TMDb", "score"),
    )


def _named(tried: LevelTried) -> str:
    more = len(tried.found) - MOST_NAMED
    return ", ".join(map(str, tried.found[:MOST_NAMED])) + (f" and {more} more" if more > 0 else "")


def _parts(weighed: Weighed) -> str:
    parts = ", ".join(f"{name} {weight:+.1f}" for name, weight in weighed.parts.items())
    return parts if weighed.candidate.detailed else f"{parts} (not verified)"
