"""Moments that another process wrote down by a clock of its own, which somebody may since have put right."""

from __future__ import annotations

APART = 60.0
"""Seconds by which the clocks of two machines may differ; Kerberos allows 300, but has no wait of a minute to keep."""


def is_astray(moment: float, now: float) -> bool:
    """Tell whether a note dated ``moment`` lies so far ahead of ``now`` that the clock it was dated by was wrong."""
    return moment > now + APART
