"""Decides for each service whether the real one or a replica answers, and at which address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches

from cinegraph_core.contracts import Credentials, Replica, ServiceSpec
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.plugins import Plugins
from cinegraph_core.records import Mode
from cinegraph_core.services.addresses import Addresses, is_loopback
from cinegraph_core.services.modes import Side
from cinegraph_core.settings import ServiceSettings, Settings, production_refusal, variable_name

_OVERRIDES = tuple(ServiceSettings.model_fields.keys() & {field.name for field in fields(ServiceSpec)} - {"base_url"})
"""What may be set of a spec; its address stays the public one."""
_MOCK_KEY = "mock-key"
"""Sent to a replica in place of a key, so that mock mode runs through the handling of keys too."""
STALE_IN_HYBRID = 86400.0
"""Seconds beyond its time for which a kept answer is preferred to a replica's: films change slowly, and it was true once."""

_OF_REPLICAS = {"delay": 0.0, "rate_per_second": 0.0, "cache_ttl": 0.0}
"""What holds for a replica unless it is set otherwise: nobody's machine is to be spared, and nothing is worth keeping."""
_BESIDE = {"breaker_mode": "auto", "cache_ttl": 0.0}
"""What a replica that is asked beside its service does not share with it."""

_running: dict[Callable[[], Mapping[str, str]], Mapping[str, str]] = {}
_starting = threading.Lock()


def _start(replica: Replica) -> Mapping[str, str]:
    """Return the base URLs of a replica, which is started once per process."""
    with _starting:
        if replica.start not in _running:
            _running[replica.start] = replica.start()
        return _running[replica.start]


class Router:
    """Merges settings into the services that plugins brought; raises :class:`ConfigurationError` for an unknown name."""

    def __init__(self, settings: Settings, plugins: Plugins) -> None:
        self._settings = settings
        self._plugins = plugins
        self._specs = plugins.services()
        self._replicas = {name: one for one in plugins.replicas().values() for name in one.services}
        self._adopted: set[str] = set()
        self._found: dict[tuple[str, Side], Addresses] = {}

    def adopt(self, spec: ServiceSpec) -> None:
        """Take in a service no plugin brought; it has no replica, so it is always the real one. A known name stays as it is."""
        if spec.name not in self._specs:
            self._specs[spec.name] = spec
            self._adopted.add(spec.name)

    def names(self) -> list[str]:
        """Return the names of all services."""
        return sorted(self._specs)

    def mode(self, name: str) -> Mode:
        """Return the mode the settings give a service: its own, else that of the run."""
        self._known(name)
        return "real" if name in self._adopted else self._settings.mode_of(name)

    def side(self, name: str) -> Side:
        """Return who answers by the settings: the side that requests are built for."""
        return "mock" if self.mode(name) == "mock" else "live"

    def has_stand_in(self, name: str) -> bool:
        """Return whether a replica may answer where the service is refused."""
        return self._settings.mock_fallback and name in self._replicas

    def refusal(self, mode: Mode) -> str:
        """Return why nothing may run in a mode here, and what to do about it; empty if it may."""
        return production_refusal(self._settings, mode)

    def spec(self, name: str, side: Side | None = None) -> ServiceSpec:
        """Return the service's spec with the settings applied; ``base_url`` stays the public one.

        Unless set otherwise, there is no delay between pages of this very machine, a replica is asked at any pace and its
        answers are not kept, and in hybrid mode an answer past its time is kept for a day and serves where a limit leaves no
        room. A replica asked beside its service keeps no answers, and stays in use when the service is taken out of use.
        """
        spec, home = self._known(name), self.side(name)
        side = side or home
        given = self._settings.service(name)
        changes = {field: getattr(given, field) for field in _OVERRIDES if getattr(given, field) is not None}
        if side != "live":
            changes = _OF_REPLICAS | changes
        elif is_loopback(given.base_url or spec.base_url):
            changes.setdefault("delay", 0.0)
        if self.mode(name) == "hybrid":
            changes.setdefault("cache_on_error", max(spec.cache_on_error, STALE_IN_HYBRID))
            if spec.on_exhausted == "park":
                changes.setdefault("on_exhausted", "stale")
        if side not in ("live", home):
            changes |= _BESIDE
        return replace(spec, **changes)

    def addresses(self, name: str, side: Side | None = None) -> Addresses:
        """Return the public and the effective base URL; asking for a replica's starts it."""
        where = name, side or self.side(name)
        if where not in self._found:
            self._found[where] = self._find(*where)
        return self._found[where]

    def _find(self, name: str, side: Side) -> Addresses:
        public = self._known(name).base_url.rstrip("/")
        if side == "live":
            return Addresses(public, self._settings.service(name).base_url or public)
        replica = self._replicas.get(name)
        if replica is None:
            raise ConfigurationError(self._no_replica([name]))
        urls = _start(replica)
        if name not in urls:
            raise ConfigurationError(f"the replica {replica.name!r} says it serves {name} but gave no address for it")
        return Addresses(public, urls[name].rstrip("/"))

    def published(self, name: str, url: str) -> str:
        """Return the public URL for an effective one, whichever side it is of."""
        if self.side(name) == "mock":
            away: Addresses | None = self.addresses(name, "live")
        else:
            away = self.addresses(name, "mock") if self.is_running(name) else None
        if away is not None and away.serves(url):
            return away.published(url)
        return self.addresses(name).published(url)

    def stood_in(self, url: str) -> str | None:
        """Return the service that a running replica stands in for at a URL."""
        return next((name for name in self._replicas if self.is_running(name) and self.addresses(name, "mock").serves(url)), None)

    def credentials(self, name: str, side: Side | None = None) -> Credentials:
        """Return what is added to each request; nothing if the service takes no key or none is set."""
        authenticate = self._known(name).authenticate
        key = self.key(name, side)
        return authenticate(key) if authenticate and key else Credentials()

    def key(self, name: str, side: Side | None = None) -> str:
        """Return the key that is sent, empty if there is none; a replica never gets the real one."""
        if (side or self.side(name)) != "live":
            return _MOCK_KEY
        secret = self._settings.service(name).api_key
        return secret.get_secret_value() if secret else ""

    def obstacle(self, name: str, side: Side | None = None) -> str:
        """Return why no call to the service can be made and how to mend it, empty if nothing is in the way."""
        if not self._known(name).needs_key or self.key(name, side):
            return ""
        return f"{name} needs a key: set CINEGRAPH_SERVICES__{name.upper()}__API_KEY, or CINEGRAPH_MODE=mock to work without"

    def check(self, *names: str) -> None:
        """Raise :class:`ConfigurationError` if mock mode cannot work: no replica for any of ``names``.

        Without names, one replica of any service in mock mode is enough, because a plugin may bring a service alone.
        """
        mocked = [name for name in names or self.names() if self.mode(name) == "mock"]
        missing = [name for name in mocked if name not in self._replicas]
        if missing and (names or len(missing) == len(mocked)):
            raise ConfigurationError(self._no_replica(missing))

    def check_mode(self, name: str, mode: Mode) -> None:
        """Raise :class:`ConfigurationError` if a service cannot be asked in a mode: in production, or without a replica."""
        self._known(name)
        if refusal := self.refusal(mode):
            raise ConfigurationError(refusal)
        if mode == "mock" and name in self._adopted:
            raise ConfigurationError(f"{name} comes with your own code and has no replica: it is always real")
        if mode == "mock" and name not in self._replicas:
            raise ConfigurationError(self._no_replica([name]))

    def is_running(self, name: str) -> bool:
        """Return whether the replica of a service has been started in this process."""
        replica = self._replicas.get(name)
        return replica is not None and replica.start in _running

    def _no_replica(self, names: list[str]) -> str:
        gone = [f"{info.name} is {info.status}" for info in self._plugins.infos() if info.status != "active"]
        return (
            f"mock mode needs a replica of {', '.join(names)}, and no active plugin brings one"
            f"{' (' + '; '.join(gone) + ')' if gone else ''}. Remedy: take the replica's plugin out of CINEGRAPH_DISABLE_PLUGINS "
            "or mend it (see `cinegraph plugins`), or set CINEGRAPH_MODE=real"
        )

    def _known(self, name: str) -> ServiceSpec:
        if name in self._specs:
            return self._specs[name]
        nearest = get_close_matches(name, self.names(), n=1, cutoff=0.0)
        hint = f"; the nearest is {nearest[0]!r}" if nearest else ""
        gaps = (
            " A plugin is blocked or failed and may have brought it; `cinegraph plugins` shows why."
            if self._plugins.has_gaps
            else ""
        )
        own = f" One of your own code is known to the commands once {variable_name('own_services')} names it."
        raise ConfigurationError(f"no service {name!r} is installed{hint}.{own}{gaps}")
