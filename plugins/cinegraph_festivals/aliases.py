"""Award names that mean the same: what the festival prints beside what IMDb prints.

A key is ``award / category`` or the award alone, lower case, white space collapsed; the value is the one name both stand for.
Sources: IMDb's event pages of 2019 to 2022 and the news pages of La Biennale. What is not listed is never merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_VENICE: Mapping[str, tuple[str, ...]] = {
    "Golden Lion": ("golden lion for best film", "golden lion / best film", "golden lion"),
    "Silver Lion – Grand Jury Prize": ("silver lion – grand jury prize", "silver lion / grand jury prize"),
    "Silver Lion – Award for Best Director": (
        "silver lion – award for best director",
        "silver lion for best director",
        "silver lion / best director",
    ),
    "Special Jury Prize": ("special jury prize",),
    "Award for Best Screenplay": ("award for best screenplay", "golden osella / best screenplay"),
    "Coppa Volpi for Best Actor": ("coppa volpi for best actor", "volpi cup for best actor", "volpi cup / best actor"),
    "Coppa Volpi for Best Actress": ("coppa volpi for best actress", "volpi cup for best actress", "volpi cup / best actress"),
    "Marcello Mastroianni Award": (
        "marcello mastroianni award",
        "marcello mastroianni award for best young actor or actress",
        "marcello mastroianni award / best young actor or actress",
    ),
    "Lion of the Future": (
        "lion of the future",
        "lion of the future – “luigi de laurentiis” venice award for a debut film",
        "lion of the future “luigi de laurentiis” venice award for a debut film",
        "“luigi de laurentiis” venice award for a debut film",
        "luigi de laurentiis award / best debut film",
    ),
    "Golden Lion for Lifetime Achievement": ("golden lion for lifetime achievement", "career golden lion"),
    "Orizzonti Award for Best Film": ("orizzonti award for best film", "venice horizons award / best film"),
    "Orizzonti Award for Best Director": ("orizzonti award for best director", "venice horizons award / best director"),
    "Orizzonti Award for Best Actor": ("orizzonti award for best actor", "venice horizons award / best actor"),
    "Orizzonti Award for Best Actress": ("orizzonti award for best actress", "venice horizons award / best actress"),
    "Orizzonti Award for Best Screenplay": ("orizzonti award for best screenplay", "venice horizons award / best screenplay"),
    "Orizzonti Award for Best Short Film": (
        "orizzonti award for best short film",
        "venice horizons award / best short film",
    ),
    "Special Orizzonti Jury Prize": (
        "special orizzonti jury prize",
        "orizzonti special jury prize",
        "venice horizons award / special jury prize",
    ),
    "Audience Award – Armani Beauty": (
        "audience award – armani beauty",
        "armani beauty audience award",
        "audience award – armani beauty (orizzonti extra)",
    ),
    "Venice Classics Award for Best Restored Film": (
        "venice classics award for best restored film",
        "venezia classici award / best restored film",
    ),
    "Venice Classics Award for Best Documentary on Cinema": (
        "venice classics award for best documentary on cinema",
        "venezia classici award / best documentary on cinema",
    ),
    "Venice Immersive Grand Prize": (
        "venice immersive grand prize",
        "venice immersive grand jury prize",
        "venice immersive / grand jury prize",
    ),
    "Venice Immersive Special Jury Prize": ("venice immersive special jury prize", "venice immersive / special jury prize"),
}


def _spellings(name: str) -> Iterator[str]:
    """Yield the name with the dashes and quotation marks that editors use for one another."""
    for dash in (" – ", " - ", ": "):
        for opening, closing in ("“”", '""', "‘’", "''", ("", "")):
            yield name.replace(" – ", dash).replace("“", opening).replace("”", closing)


VENICE_ALIASES: Mapping[str, str] = {
    spelling: canonical for canonical, names in _VENICE.items() for name in names for spelling in _spellings(name)
}
