"""One object that opens every room in order, hands each what it needs, and closes them in the reverse order.

A spider, a command and a script all begin with :meth:`Application.open`; nothing else builds a tracker, a door or a
database. It is passed down, never kept in a module, so that a test can open its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from cinegraph_core import services as door
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Clock, SinkContext
from cinegraph_core.errors import ConfigurationError
from cinegraph_core.matching import Cascade, TitleIndex
from cinegraph_core.plugins import Plugins, load_plugins
from cinegraph_core.records import Measurement
from cinegraph_core.services import Services, SharedState
from cinegraph_core.settings import Settings, check_production, check_service_names, load_settings
from cinegraph_core.storage import Database
from cinegraph_core.storage.metrics import insert_measurements
from cinegraph_core.storage.shared_store import SharedStore
from cinegraph_core.storage.state import LastSeen
from cinegraph_core.tracking import Tracker

PLANNED = ("cannes", "berlin", "oscars")
"""Services whose names are settled and whose plugins are still to come: set already, they have no effect yet."""

log = logging.getLogger(__name__)


class Application:
    """The open house: ``settings``, ``plugins``, ``database``, ``tracker``, ``services`` and ``cascade``."""

    def __init__(self, settings: Settings, plugins: Plugins, database: Database, clock: Clock) -> None:
        self.settings = settings
        self.plugins = plugins
        self.database = database
        self.clock = clock
        self._unstorable = 0
        context = SinkContext(database_url=settings.database_url, store=self._store, clock=clock)
        self.tracker = Tracker(plugins.metrics_sinks(), context)
        self.shared = SharedState(SharedStore(database), clock)
        self.services = Services(settings, plugins, self.tracker, clock, on_transition=self._remember, shared=self.shared)
        self.catalogue = _catalogue(settings)
        self.cascade = Cascade(
            plugins.matchers(), settings.matching, self.services, self.tracker, clock, catalogue=self.catalogue
        )

    @classmethod
    def open(cls, settings: Settings | None = None, *, clock: Clock | None = None, plugins: Plugins | None = None) -> Application:
        """Open everything; the database is created and migrated if it is empty.

        Raises :class:`ConfigurationError` where settings, plugins or database do not fit together; each message says what
        to change.
        """
        settings = settings or load_settings()
        plugins = plugins or load_plugins(blocked=settings.disable_plugins)
        check_services(settings, plugins)
        check_production(settings)
        database = Database(settings.database_url)
        try:
            database.prepare(settings.mode)
            application = cls(settings, plugins, database, clock or SystemClock())
            application.services.check()
        except BaseException:
            database.close()
            raise
        if "sql" not in plugins.metrics_sinks():
            log.warning("the metrics sink 'sql' is not active: calls are made but not recorded (see `cinegraph plugins`)")
        return application

    def _store(self, batch: Sequence[Measurement]) -> None:
        with self.database.transaction() as session:
            stored = insert_measurements(session, batch)
        self._unstorable += len(batch) - stored

    def _remember(self, service: str, old: str, new: str, retry_at: float | None) -> None:
        log.warning("breaker of %s: %s → %s", service, old, new)
        self.shared.report(service, LastSeen(new, self.clock.now(), retry_at))

    def _tell_lost(self) -> None:
        """Say at the end of a run what its record lacks, as an error, so that every log level but the highest shows it."""
        for sink, lost in self.tracker.lost.items():
            if lost:
                failed = self.tracker.sink_errors[sink]
                log.error("%d measurements never reached the metrics sink %s (%d of its writes failed)", lost, sink, failed)
        if self._unstorable:
            log.error("%d measurements could not be stored in the database", self._unstorable)

    async def aclose(self) -> None:
        """Close the clients of this event loop, then everything else."""
        await self.services.aclose()
        self.close()

    def close(self) -> None:
        """Write what is still on its way, then let go of the database."""
        self.shared.close()
        self.tracker.close()
        self._tell_lost()
        if self.catalogue is not None:
            self.catalogue.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: Scrapy copies its settings for every crawler, and all of them share one house."""
        return self


def _catalogue(settings: Settings) -> TitleIndex | None:
    """Open the local catalogue, if one is loaded; a broken one stops nobody, because matching works without it."""
    if not settings.catalogue_path.exists():
        return None
    try:
        return TitleIndex(settings.catalogue_path)
    except ConfigurationError as error:
        log.warning("matching goes on without the local catalogue: %s", error)
        return None


def check_services(settings: Settings, plugins: Plugins) -> None:
    """Raise :class:`SettingsError` for a setting of a service nobody brings; one that may have come with a plugin is warned of.

    Those are any service while a plugin is blocked or failed, and else the ``PLANNED`` ones.
    """
    tolerated = set(settings.services) if plugins.has_gaps else set(PLANNED)
    check_service_names(settings, set(plugins.services()), tolerated)


door.set_opener(Application.open)
