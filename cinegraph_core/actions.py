"""Everything that changes state on a person's word; the command line and the page both call these, and each is audited.

The row of the audit is written in the transaction of the change: there is never one without the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from cinegraph_core.contracts import Clock
from cinegraph_core.records import Control, Mode
from cinegraph_core.resilience.breaker import BreakerState
from cinegraph_core.resilience.retry import LONGEST_HOLD
from cinegraph_core.services.breakers import BY_HAND
from cinegraph_core.services.modes import AS_CONFIGURED, Switch
from cinegraph_core.services.rules import moment
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import current_user, record_action
from cinegraph_core.storage.cache import purge_answers
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.controls import controls, set_control
from cinegraph_core.storage.review import accept_review, audited, reject_review
from cinegraph_core.storage.state import record_transition


@dataclass(frozen=True, slots=True)
class Change:
    """What an action changed: who did it, and the thing before and after."""

    who: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def accept_match(
    database: Database, film_id: int, tmdb_id: int, *, clock: Clock, who: str | None = None, merge: bool = False
) -> Change:
    """Decide that a film is this one of TMDb's, whatever the matcher thinks now or later.

    ``who`` is by default the user of this process. ``after`` tells also which rows the film was ``merged`` with, and whether
    the id ``was_candidate``. Raises :class:`UsageError` if there is no such film, or if another film has this id already
    and looks different, unless ``merge`` says that the two are one.
    """
    who, now = who or current_user(), clock.now()
    with database.transaction() as session:
        before, after = accept_review(session, film_id, tmdb_id, who=who, now=now, merge=merge)
        return _reviewed(session, "review.accept", Change(who, before, after), now=now)


def reject_match(database: Database, film_id: int, *, clock: Clock, who: str | None = None) -> Change:
    """Decide that none of the candidates is the film; the matcher does not ask again.

    ``who`` is by default the user of this process. Raises :class:`UsageError` if there is no such film.
    """
    who, now = who or current_user(), clock.now()
    with database.transaction() as session:
        before, after = reject_review(session, film_id, who=who, now=now)
        return _reviewed(session, "review.reject", Change(who, before, after), now=now)


def _reviewed(session: Session, what: str, change: Change, *, now: float) -> Change:
    subject, before, after = f"film {change.after['id']}", audited(change.before), audited(change.after)
    record_action(session, who=change.who, what=what, subject=subject, before=before, after=after, now=now)
    return change


def reset_breaker(database: Database, service: str, *, clock: Clock, who: str | None = None) -> Change:
    """Close the breaker of a service in every process within a second, and lift the hold that the service asked for."""
    return _hold_breaker(database, service, "closed", "breaker.reset", "breaker_reset", clock=clock, who=who)


def open_breaker(database: Database, service: str, *, clock: Clock, who: str | None = None) -> Change:
    """Refuse every call to a service in every process, within a second and until its breaker is reset."""
    return _hold_breaker(database, service, "open", "breaker.open", "breaker_opened", clock=clock, who=who)


def _hold_breaker(
    database: Database, service: str, state: BreakerState, what: str, word: Control, *, clock: Clock, who: str | None
) -> Change:
    who, now = who or current_user(), clock.now()
    with database.transaction() as session:
        noted = record_transition(session, service, state, changed_at=now, retry_at=None, by_hand=True)
        before, after = {"state": noted or "closed"}, {"state": state}
        if word == "breaker_reset" and (held_until := _lift_hold(session, service, now)) is not None:
            before["held_until"] = held_until
        set_control(session, service, word, _next_moment(session, service, now), now=now)
        record_action(session, who=who, what=what, subject=service, before=before, after=after, now=now)
    return Change(who, before, after)


def _lift_hold(session: Session, service: str, now: float) -> str | None:
    """Take back the hold that a service asked for; return until when it counted (ISO 8601, UTC), ``None`` if there was none."""
    left = controls(session).get((service, "held_until"), 0) / 1000 - now
    if left <= 0:
        return None
    set_control(session, service, "held_until", 0, now=now)
    return utc(now + min(left, LONGEST_HOLD)).isoformat(timespec="seconds")


def set_mode(
    database: Database, service: str, mode: Mode, *, seconds: float | None = None, clock: Clock, who: str | None = None
) -> Change:
    """Switch a service to a mode in every process within a second, for some ``seconds`` or until :func:`reset_mode`.

    The caller checks that the mode is available (:meth:`Router.check_mode`). ``before`` holds ``None`` where the
    settings counted.
    """
    switch = Switch(mode) if seconds is None else Switch(mode, clock.now() + seconds)
    return _switch(database, service, "mode.set", switch, clock=clock, who=who)


def reset_mode(database: Database, service: str, *, clock: Clock, who: str | None = None) -> Change:
    """Let the settings say the mode of a service again, in every process within a second."""
    return _switch(database, service, "mode.reset", None, clock=clock, who=who)


def _switch(database: Database, service: str, what: str, switch: Switch | None, *, clock: Clock, who: str | None) -> Change:
    who, now = who or current_user(), clock.now()
    with database.transaction() as session:
        word = AS_CONFIGURED if switch is None else switch.word
        old = Switch.of(set_control(session, service, "mode", word, now=now))
        before, after = _told(old if old is not None and old.holds(now) else None), _told(switch)
        record_action(session, who=who, what=what, subject=service, before=before, after=after, now=now)
    return Change(who, before, after)


def _told(switch: Switch | None) -> dict[str, Any]:
    return {"mode": None, "until": None} if switch is None else {"mode": switch.mode, "until": switch.ends}


def _next_moment(session: Session, service: str, now: float) -> int:
    """Return a moment for an order about a breaker that is later than all before it, whatever the machines' clocks say."""
    words = controls(session)
    return max(int(now * 1000), *(1 + words.get((service, name), 0) for name in BY_HAND))


def set_quota(
    database: Database, service: str, *, daily: int | None, hourly: int | None, clock: Clock, who: str | None = None
) -> Change:
    """Give a service other quotas than the settings do, in every process within a second; ``None`` leaves one as it is.

    ``before`` holds those that a person had set earlier.
    """
    who, now = who or current_user(), clock.now()
    wanted: dict[Control, int | None] = {"daily_quota": daily, "hourly_quota": hourly}
    before: dict[str, int | None] = {}
    after: dict[str, int] = {}
    with database.transaction() as session:
        for name, value in wanted.items():
            if value is not None:
                before[name] = set_control(session, service, name, value, now=now)
                after[name] = value
        record_action(session, who=who, what="quota.set", subject=service, before=before, after=after, now=now)
    return Change(who, before, after)


def reset_quota(database: Database, service: str, *, clock: Clock, who: str | None = None) -> Change:
    """Forget in every process within a second what a service said of its own quota, so that it is asked again.

    The quotas that the settings or a person gave it stay as they are.
    """
    who, now = who or current_user(), clock.now()
    with database.transaction() as session:
        # A moment below 0 takes the word back, and each one is another: it is news to a process, whatever that has heard.
        spent = (set_control(session, service, "spent_until", -int(now * 1000), now=now) or 0) / 1000
        until = moment(spent) if spent > now else None
        before: dict[str, str | None] = {"provider_says": "used up" if until else "nothing", "until": until}
        after: dict[str, str | None] = {"provider_says": "nothing", "until": None}
        record_action(session, who=who, what="quota.reset", subject=service, before=before, after=after, now=now)
    return Change(who, before, after)


def clear_cache(
    database: Database, service: str, *, prefix: str = "", tag: str = "", clock: Clock, who: str | None = None
) -> Change:
    """Forget the kept answers of a service in every process within a second.

    With ``prefix`` or ``tag`` only those whose path begins so, or which have the tag, are gone from the database; a process
    forgets all it holds of the service in memory, and finds the others there again.
    """
    who, now = who or current_user(), clock.now()
    with database.transaction() as session:
        gone = purge_answers(session, service, prefix, tag)
        what = {name: value for name, value in (("prefix", prefix), ("tag", tag)) if value}
        set_control(session, service, "cache_purged" if what else "cache_cleared", int(now * 1000), now=now)
        before, after = {"entries": gone, **what}, {"entries": 0, **what}
        record_action(session, who=who, what="cache.clear", subject=service, before=before, after=after, now=now)
    return Change(who, before, after)
