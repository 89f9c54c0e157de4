"""Addresses as people and logs may see them."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"(?P<scheme>(?:[a-z][a-z0-9+.-]*:/+)?)(?:(?P<user>[^:]*):.*@)?(?P<host>[^?#]*)(?P<query>.*)", re.IGNORECASE | re.DOTALL
)
_QUERY_VALUE = re.compile(r"(?<=[?#&;])([^=&;#]*=)?[^&;#]+")


def mask_password(url: str) -> str:
    """Return an address with its password and every value of its query starred out; also one that is written wrongly.

    The password ends at the last ``@``, whatever it holds, so that nothing of one that should have been quoted is shown.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return "***"
    scheme, user, host, query = found.groups()
    login = "" if user is None else f"{user}:***@"
    if scheme.lower().startswith("http") and "@" in host:
        login, host = "***@", host.rpartition("@")[2]
    return scheme + login + host + _QUERY_VALUE.sub(r"\1***", query)
