"""When two sources mean the same award, category or section."""

from __future__ import annotations

from collections.abc import Mapping

from cinegraph_core.storage.naming import fold

_JOINERS = (" for ", " ", " - ", " / ", ": ")


def canonical_award(award: str | None, category: str | None, aliases: Mapping[str, str]) -> str | None:
    """Return what an award and category mean together, ``None`` if neither was printed.

    ``aliases`` maps printed names to one canonical form. ``GOLDEN LION for Best Film`` printed as one, and the award
    ``Golden Lion`` with the category ``Best Film``, are both looked up as "golden lion for best film"; then award and
    category are looked up apart. Without an alias only literally the same text means the same.
    """
    known = {fold(printed): fold(meaning) for printed, meaning in aliases.items()}
    parts = [part for part in (award, category) if part]
    if not parts:
        return None
    whole = {fold(joiner.join(parts)): None for joiner in _JOINERS}
    named = next((known[text] for text in whole if text in known), None)
    if named is not None:
        return named
    return " | ".join(known.get(fold(part), fold(part)) for part in parts)


def canonical_section(section: str | None, aliases: Mapping[str, str]) -> str | None:
    """Return what a section means, ``None`` if none was printed."""
    if not section:
        return None
    known = {fold(printed): fold(meaning) for printed, meaning in aliases.items()}
    return known.get(fold(section), fold(section))


def meaning(award: str | None, category: str | None, section: str | None, aliases: Mapping[str, str]) -> str | None:
    """Return what a statement is about, so that two are comparable; a selection never equals a nomination."""
    if (prize := canonical_award(award, category, aliases)) is not None:
        return f"award: {prize}"
    if (place := canonical_section(section, aliases)) is not None:
        return f"selection: {place}"
    return None
