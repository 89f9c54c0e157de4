"""The two addresses of a service: the public one, under which things are stored, and the one really spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SCHEMES = ("http", "https")


def is_loopback(url: str) -> bool:
    """Tell whether a URL points at this machine."""
    host = urlsplit(url).hostname or ""
    return host in LOOPBACK or host.startswith("127.")


def shown(url: str) -> str:
    """Return a link that somebody else wrote as it may be shown: without user, query and fragment.

    A link to this machine or a private network keeps only its path; one that makes no sense becomes ``?``.
    """
    try:
        link = urlsplit(url.strip())
        host = link.hostname or ""
        port = f":{link.port}" if link.port else ""
    except ValueError:
        return "?"
    if not host or host in LOOPBACK or _is_private(host):
        return link.path or "/"
    return f"{link.scheme or 'https'}://{f'[{host}]' if ':' in host else host}{port}{link.path}"


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host


@dataclass(frozen=True, slots=True)
class Addresses:
    """Maps links of one service between its ``public`` and its ``effective`` base URL; either may have a path.

    A link belongs to a base if its host is the same (``www.`` and ``http``/``https`` make no difference, the port does)
    and its path lies under the base's. Query strings are kept, fragments dropped.
    """

    public: str
    effective: str

    def join(self, href: str) -> str:
        """Return the effective URL of a path, a root-relative link or an absolute URL of either base.

        A root-relative link goes under the base's path, unless it is there already. Raises :class:`ValueError` for a link
        that leads out of the service.
        """
        if _is_plain(self.effective, href):
            return href
        link = _tidy(urlsplit(href.strip()))
        if link.scheme or link.netloc:
            inside = _under(self.effective, link) or _under(self.public, link)
            if inside is not None:
                return _on(self.effective, inside)
            raise ValueError(f"{href} is not under {self.public}")
        below = _below(_prefix(self.effective), link.path) if link.path.startswith("/") else None
        return _on(self.effective, link._replace(path=f"/{link.path.lstrip('/')}" if below is None else below))

    def serves(self, url: str) -> bool:
        """Tell whether a URL is under the effective base."""
        return _under(self.effective, _tidy(urlsplit(url))) is not None

    def published(self, url: str) -> str:
        """Return the public URL for an effective one; a URL of another host comes back without user and password."""
        if self.public == self.effective and _is_plain(self.public, url):
            return url
        link = _tidy(urlsplit(url))
        rest = _under(self.effective, link)
        if rest is not None:
            return _on(self.public, rest)
        return urlunsplit((link.scheme, link.netloc.rpartition("@")[2], link.path, link.query, ""))


def _is_plain(base: str, url: str) -> bool:
    """Tell whether a URL begins with the base as it stands: nearly all do, and taking URLs apart is the door's dearest step."""
    return url.startswith(f"{base}/") and "/." not in url and "#" not in url and not url[-1].isspace()


def _under(base: str, link: SplitResult) -> SplitResult | None:
    """Return what of ``link`` follows ``base``, or ``None`` if it is not under it."""
    root = urlsplit(base)
    if link.scheme and link.scheme not in _SCHEMES:
        return None
    if _host(link) != _host(root) or _port(link, root.scheme) != _port(root, root.scheme):
        return None
    path = _below(_prefix(base), link.path or "/")
    return None if path is None else link._replace(path=path)


def _tidy(link: SplitResult) -> SplitResult:
    """Resolve ``..`` in the path, so that nothing climbs out of a base."""
    if "/." not in f"/{link.path}":
        return link
    path = urlsplit(urljoin("http://host/", link.path)).path
    return link._replace(path=path if link.path.startswith("/") else path.removeprefix("/"))


def _prefix(base: str) -> str:
    return urlsplit(base).path.rstrip("/")


def _below(prefix: str, path: str) -> str | None:
    """Return the part of ``path`` below ``prefix``, beginning with a slash, or ``None``."""
    if path == prefix:
        return ""
    return path[len(prefix) :] if path.startswith(f"{prefix}/") else None


def _host(url: SplitResult) -> str:
    return (url.hostname or "").removeprefix("www.")


def _port(url: SplitResult, scheme: str) -> int:
    default = 443 if (url.scheme or scheme) == "https" else 80
    standard = {80, 443}
    port = url.port or default
    return 0 if port in standard else port


def _on(base: str, rest: SplitResult) -> str:
    root = urlsplit(base)
    return urlunsplit((root.scheme, root.netloc, _prefix(base) + rest.path, rest.query, ""))
