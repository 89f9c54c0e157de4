"""When two printed titles or names are the same for identity: case, accents, punctuation and order of names do not count.

This is stricter than matching's comparison on purpose: it decides which rows are one, and never guesses.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from anyascii import anyascii


def _letter(char: str) -> str:
    category = unicodedata.category(char)
    if "\u0300" <= char <= "\u036f":
        return ""
    if category[0] not in "LNM":
        return " "
    return anyascii(char).casefold() if unicodedata.name(char, "").startswith("LATIN") else char


def fold(text: str) -> str:
    """Return a title in the form in which it is compared: ``L’Été à "Nîmes"`` becomes ``l ete a nimes``.

    Only Latin letters lose their marks; in other scripts a mark makes another letter. A text without any letter or digit
    is compared as it stands.
    """
    composed = unicodedata.normalize("NFKC", text).casefold()
    folded = " ".join("".join(_letter(char) for char in unicodedata.normalize("NFC", composed)).split())
    return folded or composed.strip()


def fold_name(name: str) -> str:
    """Return a name in the form in which it is compared: ``AUDIARD Jacques`` and ``Jacques Audiard`` are the same."""
    return " ".join(sorted(fold(name).split()))


def fold_all(texts: Iterable[str | None]) -> frozenset[str]:
    """Return the folded forms of the titles that are there."""
    return frozenset(fold(text) for text in texts if text)
