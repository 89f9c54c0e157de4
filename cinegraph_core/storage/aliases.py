"""When two sources mean the same award, category or section."""

from __future__ import annotations

from collections.abc import Mapping

from cinegraph_core.storage.naming import fold


class Meanings:
    """Printed names brought to one form through an alias table: printed name, any case, to the one it stands for.

    ``GOLDEN LION for Best Film`` printed as one, and the award ``Golden Lion`` with the category ``Best Film``, are both
    looked up whole ("golden lion for best film", "golden lion / best film"), then award and category apart. Without an
    alias only literally the same text means the same.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._known = {fold(printed): fold(meaning) for printed, meaning in aliases.items()}

    def award(self, award: str | None, category: str | None) -> str | None:
        """Return what an award and its category mean together, ``None`` if neither was printed."""
        parts = [part for part in (award, category) if part]
        if not parts:
            return None
        together = (fold(joiner.join(parts)) for joiner in (" ", " for "))
        known = next((self._known[text] for text in together if text in self._known), None)
        return known or " | ".join(self._alone(part) for part in parts)

    def topic(self, award: str | None, category: str | None, section: str | None) -> str | None:
        """Return what a statement is about, for comparison; a selection never equals a nomination."""
        if (prize := self.award(award, category)) is not None:
            return f"award: {prize}"
        return f"selection: {self._alone(section)}" if section else None

    def _alone(self, printed: str) -> str:
        folded = fold(printed)
        return self._known.get(folded, folded)
