"""The proxy that leads to an address, as the environment names it for every program of the machine."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from cinegraph_core.errors import NetworkError
from cinegraph_core.services.addresses import is_loopback

_LED = ("http", "https")
"""Schemes of proxies that httpx speaks to without another package."""


def proxy_to(url: httpx.URL) -> str | None:
    """Return the address of the proxy that leads to a URL, ``None`` where none does: always for this very machine.

    ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` count in either case, read by :mod:`urllib.request`, as
    Scrapy reads them. Raises :class:`NetworkError` for a proxy that cannot be used.
    """
    if is_loopback(str(url)):
        return None
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or proxy_bypass(url.netloc.decode("ascii")):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme.lower() not in _LED or not urlsplit(proxy).hostname:
        raise NetworkError(
            f"the proxy that the environment names for {url.host} cannot be used ({_shown(proxy)}): give "
            f"{url.scheme.upper()}_PROXY the address of an HTTP proxy, such as http://proxy.example:3128, or add {url.host} to "
            "NO_PROXY"
        )
    return proxy


def _shown(proxy: str) -> str:
    """Return a proxy's address without the user and password it may hold."""
    scheme, _, rest = proxy.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
