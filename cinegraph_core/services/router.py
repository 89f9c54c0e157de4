"""Decides for each service whether the real one or a replica answers, and at which address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches

from cinegraph_core.contracts import Credentials, Replica, ServiceSpec
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.plugins import Plugins
from cinegraph_core.records import Mode, Provenance
from cinegraph_core.services.addresses import Addresses, is_loopback
from cinegraph_core.settings import ServiceSettings, Settings

_OVERRIDES = tuple(ServiceSettings.model_fields.keys() & {field.name for field in fields(ServiceSpec)} - {"base_url"})
"""What may be set of a spec; its address stays the public one."""
_MOCK_KEY = "mock-key"
"""Sent to a replica in place of a key, so that the way a key takes is gone in mock mode too."""

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

    def adopt(self, spec: ServiceSpec) -> None:
        """Take in a service no plugin brought; it has no replica, so it is always the real one. A known name stays as it is."""
        if spec.name not in self._specs:
            self._specs[spec.name] = spec
            self._adopted.add(spec.name)

    def names(self) -> list[str]:
        """Return the names of all services."""
        return sorted(self._specs)

    def mode(self, name: str) -> Mode:
        """Return the mode of one service: its own setting, else that of the process."""
        self._known(name)
        if name in self._adopted:
            return "real"
        return self._settings.service(name).mode or self._settings.mode

    def provenance(self, name: str) -> Provenance:
        """Return what the service's answers are worth: ``mock`` or ``live``."""
        return "mock" if self.mode(name) == "mock" else "live"

    def spec(self, name: str) -> ServiceSpec:
        """Return the service's spec with the settings put in; ``base_url`` stays the public one.

        Without a setting, nobody waits between pages of this very machine, and nothing is kept of what a replica says.
        """
        spec = self._known(name)
        given = self._settings.service(name)
        changes = {field: getattr(given, field) for field in _OVERRIDES if getattr(given, field) is not None}
        if "delay" not in changes and (self.mode(name) == "mock" or is_loopback(given.base_url or spec.base_url)):
            changes["delay"] = 0.0
        if "cache_ttl" not in changes and self.mode(name) == "mock":
            changes["cache_ttl"] = 0.0
        return replace(spec, **changes)

    def addresses(self, name: str) -> Addresses:
        """Return the public and the effective base URL; in mock mode this starts the replica."""
        public = self._known(name).base_url.rstrip("/")
        if self.mode(name) != "mock":
            return Addresses(public, self._settings.service(name).base_url or public)
        replica = self._replicas.get(name)
        if replica is None:
            raise ConfigurationError(self._no_replica([name]))
        urls = _start(replica)
        if name not in urls:
            raise ConfigurationError(f"the replica {replica.name!r} says it serves {name} but gave no address for it")
        return Addresses(public, urls[name].rstrip("/"))

    def credentials(self, name: str) -> Credentials:
        """Return what is added to each request; nothing if the service takes no key or none is set."""
        authenticate = self._known(name).authenticate
        key = self.key(name)
        return authenticate(key) if authenticate and key else Credentials()

    def key(self, name: str) -> str:
        """Return the key that is sent, empty if there is none; a replica never gets the real one."""
        if self.mode(name) == "mock":
            return _MOCK_KEY
        secret = self._settings.service(name).api_key
        return secret.get_secret_value() if secret else ""

    def obstacle(self, name: str) -> str:
        """Return why no call to the service can be made and how to mend it, empty if nothing is in the way."""
        if not self._known(name).needs_key or self.key(name):
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
        raise ConfigurationError(f"no service {name!r} is installed{hint}.{gaps}")
