"""Which service a Scrapy request belongs to, where it really goes, and how fast."""

from __future__ import annotations

import logging
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from math import inf
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from scrapy.utils.httpobj import urlparse_cached

from cinegraph_core.contracts import Call, ServiceSpec

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.settings import BaseSettings

    from cinegraph_core.application import Application
    from cinegraph_core.services.call import CallGuard

CALL = "cinegraph_call"
"""Meta key: the :class:`~cinegraph_core.contracts.Call` a request stands for; without one the door makes its own."""
JITTER = 0.5
"""By how much the time between two requests varies, so that they do not come like a clock's."""
_DEADLINE = 180.0
"""Seconds that a call to a foreign host has at least, as a site's; one attempt has to fit in."""
_TELLING = re.compile(r"(?!host[.:])(([a-z0-9]+\.)*[a-z][a-z0-9]*|[0-9]+(\.[0-9]+){3})(:[0-9]+)?")
"""Hosts whose names tell them apart: in these, ``_`` stands for nothing but a dot or the port's colon."""

log = logging.getLogger(__name__)


def is_led(request: Request) -> bool:
    """Tell whether the door leads a request: other schemes, such as ``ftp`` and ``s3``, are Scrapy's own business."""
    return urlparse_cached(request).scheme in ("http", "https")


class RequestServices:
    """Finds the service of a request; a host that belongs to no known service becomes one of its own.

    ``settings`` are the crawl's, whose ``DOWNLOAD_TIMEOUT`` is that of foreign hosts where the project has chosen it.
    """

    def __init__(self, application: Application, settings: BaseSettings | None = None) -> None:
        self._services = application.services
        self._timeout, self._unchosen = (None, None) if settings is None else _timeouts(settings)
        self._bases: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for spec in application.plugins.services().values():
            for base in map(urlsplit, self._addresses(spec)):
                self._bases[_host(base)].append((base.path, spec.name))
        for known in self._bases.values():
            # The longest path first: two services may live on one host.
            known.sort(key=lambda base: len(base[0]), reverse=True)
        self._hosts: dict[str, str] = {}
        self._adopted_names: set[str] = set()
        self._unmoved: set[str] = set()
        """Adopted services that no setting leads to another address."""

    def call_of(self, request: Request, name: str) -> Call:
        """Return the call a request to a service stands for; one without a spider's own is named after its path."""
        given = request.meta.get(CALL)
        if isinstance(given, Call):
            return given
        return Call(service=name, operation="fetch_page", target=urlsplit(request.url).path or "/")

    def name_of(self, request: Request) -> str:
        """Return the name of the service a request goes to."""
        given = request.meta.get(CALL)
        if isinstance(given, Call):
            return given.service
        url = urlsplit(request.url)
        return self._known(url) or self._services.stood_in(request.url) or self._adopted(url)

    def effective(self, name: str, url: str) -> str:
        """Return where a URL really goes: a known service's public address may stand for a replica or another server."""
        if name in self._unmoved:
            return url
        try:
            return self._services.join(name, url)
        except ValueError:
            return url

    async def address(self, guard: CallGuard, name: str, url: str) -> str:
        """Return where a request of a call really goes: to the side that is asked now."""
        elsewhere = guard.state.elsewhere
        if elsewhere is None or name != guard.call.service:
            return self.effective(name, url)
        await self._services.at_hand(guard)
        try:
            return elsewhere(url)
        except ValueError:  # a redirect led out of the service
            return url

    def is_adopted(self, name: str) -> bool:
        """Return whether a service is one made up here for a foreign host."""
        return name in self._adopted_names

    def chosen_timeout(self, own: float | None) -> float:
        """Return the seconds a request's own ``download_timeout`` gives it; ``inf`` if that only repeats Scrapy's default."""
        return inf if not own or own == self._unchosen else own

    def _addresses(self, spec: ServiceSpec) -> Iterator[str]:
        yield spec.base_url
        # In mock mode asking for the address would start the replica, and nobody outside knows that address anyway.
        if self._services.configured_mode(spec.name) != "mock":
            yield self._services.base_url(spec.name)

    def _known(self, url: SplitResult) -> str | None:
        known = self._bases.get(_host(url), ())
        return next((name for path, name in known if _lies_under(url.path, path)), None)

    def _adopted(self, url: SplitResult) -> str:
        host = _netloc(url)
        if host not in self._hosts:
            self._hosts[host] = self._adopt(url.scheme, host)
        return self._hosts[host]

    def _adopt(self, scheme: str, host: str) -> str:
        """Make a foreign host a service and return its name, which is the same in every process."""
        name = service_name(host)
        if name in self._services.names() and not self._is_of(name, host):
            name = _marked(name, host)
        if name not in self._services.names():
            log.info("%s is the service %s", host, name)
        deadline = self._timeout and max(self._timeout, _DEADLINE)
        base = f"{scheme}://{host}"
        # A foreign host keeps the pace that the project's DOWNLOAD_DELAY and DOWNLOAD_SLOTS give it.
        spec = ServiceSpec(name=name, base_url=base, kind="site", delay=0.0, timeout=self._timeout, deadline=deadline)
        self._services.adopt(spec)
        self._adopted_names.add(name)
        led = self._services.base_url(name)
        if led == self._services.spec(name).base_url:
            self._unmoved.add(name)
        else:
            away = urlsplit(led)
            self._bases[_host(away)].append((away.path, name))
        return name

    def _is_of(self, name: str, host: str) -> bool:
        """Return whether a service is that of a whole host."""
        return self._services.spec(name).base_url.partition("://")[2] == host


def _timeouts(settings: BaseSettings) -> tuple[float | None, float | None]:
    """Return the ``DOWNLOAD_TIMEOUT`` that the project has chosen (0 is none), and the one that is only Scrapy's default."""
    timeout = settings.getfloat("DOWNLOAD_TIMEOUT") or None
    return (timeout, None) if settings.getpriority("DOWNLOAD_TIMEOUT") else (None, timeout)


def _lies_under(path: str, base: str) -> bool:
    return f"{path}/".startswith(f"{base.rstrip('/')}/")


def _netloc(url: SplitResult) -> str:
    """Return host and port, never a user or a password."""
    return url.netloc.rpartition("@")[2].lower()


def _host(url: SplitResult) -> str:
    return _netloc(url).removeprefix("www.")


def service_name(host: str) -> str:
    """Return a host as a service is named, no two alike: ``www.example.org:8080`` becomes ``www_example_org_8080``.

    A host whose name would also be another's, such as ``my-shop.org`` (``my.shop.org``), is told apart by a mark of its own.
    """
    host = host.lower()
    name = re.sub(r"[^a-z0-9]+", "_", host).strip("_")
    name = name if name[:1].isalpha() else f"host_{name}"
    return name if _TELLING.fullmatch(host) else _marked(name, host)


def _marked(name: str, host: str) -> str:
    return f"{name}_{sha256(host.encode()).hexdigest()[:6]}"


class Pacer:
    """Keeps a service's delay between the beginnings of its requests.

    For services that plugins bring; a foreign host keeps the pace of Scrapy's own slots. What waits here has taken no place
    and no leave yet. Seconds throughout; ``vary`` returns a random number between 0 and 1.
    """

    def __init__(self, vary: Callable[[], float] = random.random) -> None:
        self._vary = vary
        self._next: dict[str, float] = defaultdict(float)

    def reserve(self, service: str, delay: float, now: float) -> float:
        """Return how long the next request of a service has to wait, and take its place."""
        start = max(now, self._next[service])
        self._next[service] = start + delay * (1 + JITTER * (2 * self._vary() - 1))
        return start - now
