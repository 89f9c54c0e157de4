"""Which service a Scrapy request belongs to, where it really goes, and how fast."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from cinegraph_core.contracts import Call, ServiceSpec

if TYPE_CHECKING:
    from scrapy import Request

    from cinegraph_core.application import Application

CALL = "cinegraph_call"
"""Meta key: the :class:`~cinegraph_core.contracts.Call` a request stands for; without one the door makes its own."""
JITTER = 0.5
"""By how much the time between two requests varies, so that they do not come like a clock's."""


class RequestServices:
    """Finds the service of a request; a host that belongs to no known service becomes one of its own."""

    def __init__(self, application: Application) -> None:
        self._services = application.services
        self._bases: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for spec in application.plugins.services().values():
            for base in map(urlsplit, self._addresses(spec)):
                self._bases[_host(base)].append((base.path, spec.name))
        for known in self._bases.values():
            # The longest path first: two services may live on one host.
            known.sort(key=lambda base: len(base[0]), reverse=True)
        self._hosts: dict[str, str] = {}
        self._adopted_names: set[str] = set()

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
        if name in self._adopted_names:
            return url
        try:
            return self._services.join(name, url)
        except ValueError:
            return url

    def is_adopted(self, name: str) -> bool:
        """Return whether a service is one made up here for a foreign host."""
        return name in self._adopted_names

    def _addresses(self, spec: ServiceSpec) -> Iterator[str]:
        yield spec.base_url
        # In mock mode asking for the address would start the replica, and nobody outside knows that address anyway.
        if self._services.configured_mode(spec.name) != "mock":
            yield self._services.base_url(spec.name)

    def _known(self, url: SplitResult) -> str | None:
        known = self._bases.get(_host(url), ())
        return next((name for path, name in known if _lies_under(url.path, path)), None)

    def _adopted(self, url: SplitResult) -> str:
        if url.netloc not in self._hosts:
            name = service_name(url.netloc)
            # A foreign host keeps the pace that the project's DOWNLOAD_DELAY and DOWNLOAD_SLOTS give it.
            self._services.adopt(ServiceSpec(name=name, base_url=f"{url.scheme}://{url.netloc}", kind="site", delay=0.0))
            self._hosts[url.netloc] = name
            self._adopted_names.add(name)
        return self._hosts[url.netloc]


def _lies_under(path: str, base: str) -> bool:
    return f"{path}/".startswith(f"{base.rstrip('/')}/")


def _host(url: SplitResult) -> str:
    return url.netloc.removeprefix("www.")


def service_name(host: str) -> str:
    """Return a host as a service is named: ``www.example.org:8080`` becomes ``www_example_org_8080``."""
    name = re.sub(r"[^a-z0-9]+", "_", host.lower()).strip("_")
    return name if name[:1].isalpha() else f"host_{name}"


class Pacer:
    """Keeps a service's delay between the beginnings of its requests.

    Scrapy's own slots would do it after the door has begun the call, and the time in their queue would count as the
    service's; so the door waits here first. Seconds throughout; ``vary`` returns a random number between 0 and 1.
    """

    def __init__(self, vary: Callable[[], float] = random.random) -> None:
        self._vary = vary
        self._next: dict[str, float] = defaultdict(float)

    def reserve(self, service: str, delay: float, now: float) -> float:
        """Return how long the next request of a service has to wait, and take its place."""
        start = max(now, self._next[service])
        self._next[service] = start + delay * (1 + JITTER * (2 * self._vary() - 1))
        return start - now
