"""Whom IMDb's event pages name as a film's director, and what a person was there for.

IMDb does not say what the people below a nominated film did. Measured against known directors, the people below a
*festival's* film award are its directors in nearly every case, but below acting, writing, music or craft awards they
are the ones honoured, and below the Oscars' film awards they are producers. A wrong director would later speak against the
right film, so the rule names directors only

* where a note in brackets says so (``(director)``), and then nobody else of that nomination;
* where a person is nominated as best director or for directing;
* below the one film of a festival's award (Venice, Cannes, Berlin, Locarno; never the Oscars or an unknown event) whose
  name speaks of no other craft, and where no note names another role.
"""

from __future__ import annotations

import re

from cinegraph_festivals.imdb.entries import Entry, Name, Title

_FESTIVALS = frozenset({"venice", "cannes", "berlin", "locarno"})
_DIRECTING = re.compile(r"\bbest director\b|\bdirecting\b", re.IGNORECASE)
_OTHER_CRAFT = re.compile(
    r"\b(?:act(?:or|ress|ing)|performance|cast(?:ing)?|ensemble|revelation|star|screenplay|screenwriters?|writ(?:er|ing)|"
    r"script|authors?|sacd|siae|s\.i\.a\.e|cinematograph\w*|photograph\w*|camera operator|technic\w*|artistic|composer|"
    r"music|score|song|sound\w*|edit(?:or|ing)|design\w*|costume|dressmaker|tailoring|make-?up|effects|stunt|electrical|"
    r"produc\w*|distribution|dog|animal|vr|virtual reality|immersive|experience|interactive|otp)\b|pellicola d'oro|"
    r"contribution|excellens",
    re.IGNORECASE,
)
_ALIAS = re.compile(r"\(as [^()]*\)", re.IGNORECASE)
_DIRECTOR_NOTE = re.compile(r"(?:^|[/,&]|\band\b)\s*(?:co-)?directors?\s*(?:$|[/,&]|\band\b)|directed by", re.IGNORECASE)


def note_role(name: Name) -> str | None:
    """Return what the note in brackets says the person did, lower case; ``(as …)`` is a name, not a role."""
    return _ALIAS.sub("", name.note or "").strip(" ()").replace(") (", ", ").lower() or None


def directors(entry: Entry, festival: str) -> tuple[Name, ...]:
    """Return the directors of the nomination's film by the rule of this module; mostly none."""
    people = [name for name in entry.names if not name.is_company]
    if len(entry.titles) != 1:
        return ()
    if any(note_role(name) for name in people):
        return tuple(name for name in people if _DIRECTOR_NOTE.search(note_role(name) or ""))
    label = f"{entry.award} / {entry.category or ''}"
    if entry.primary and isinstance(entry.primary[0], Name):
        return tuple(people) if _DIRECTING.search(label) else ()
    is_film_award = all(isinstance(entity, Title) for entity in entry.primary) and not _OTHER_CRAFT.search(label)
    return tuple(people) if festival in _FESTIVALS and is_film_award else ()
