"""The typed, frozen objects that plugins hand to Cinegraph, and the protocols Cinegraph hands to them.

A hook registers one of these objects; everything asynchronous lives on the object, never on the hook. A plugin author
needs this module and :mod:`cinegraph_core.records`, both exported by name from :mod:`cinegraph_core`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from cinegraph_core.errors import PluginError, ServiceError
from cinegraph_core.records import Candidate, FilmQuery, Measurement, Nomination, Provenance
from cinegraph_core.resilience.breaker import BreakerMode

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_name(owner: str, name: str) -> None:
    """Raise :class:`PluginError` unless ``name`` is lower-case letters, digits and ``_``, beginning with a letter."""
    if not _NAME.fullmatch(name):
        raise PluginError(f"{owner} has the name {name!r}; a name is lower-case letters, digits and '_', e.g. 'my_festival'")


class Clock(Protocol):
    """Where time comes from; tests pass one that they turn by hand (:class:`cinegraph_core.testing.FakeClock`)."""

    def now(self) -> float:
        """Return wall-clock seconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait and block the thread meanwhile, for callers that are not ``async``."""
        ...


# ---------------------------------------------------------------------------------------------------- the door


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service sent back, whichever client fetched it; ``url`` is the public one, header names are lower case.

    A kept answer says so in ``provenance`` and when it was fetched (epoch seconds); ``None``: it came just now.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    provenance: Provenance | None = None
    fetched_at: float | None = None

    def json(self) -> Any:
        """Return the body as JSON; raises :class:`json.JSONDecodeError` or :class:`UnicodeDecodeError`."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Call:
    """One logical call through the door, whatever number of requests it takes.

    ``read`` turns the answer into what the caller wants while the call is still open, so that a broken body or a changed
    layout belongs to the call's own row; it raises a :class:`ServiceError` or :class:`PageError`. ``target`` is the IMDb
    id, ``title (year)`` or path. ``absent_ok`` makes 404 and 410 a proper answer (``not_found``, success). With
    ``fresh`` a kept answer will not do.
    """

    service: str
    operation: str
    target: str
    read: Callable[[Answer], Any] | None = None
    absent_ok: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What :attr:`ServiceSpec.authenticate` adds to a request: query parameters and headers."""

    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BreakerWindow:
    """The second rule of a service's breaker, for one that fails often but never five times in a row, or only grows slow.

    The breaker opens when of at least ``minimum`` calls in the last ``seconds`` (of the last ``calls`` calls, if that is set)
    the share ``failure_rate`` failed or ``slow_rate`` took longer than ``slow_after`` seconds (``None``: 5, or half the
    service's timeout where that is more). Twenty calls, half of them, are Hystrix's limits; two minutes are long enough for
    one caller to make them although each takes over five seconds.
    """

    seconds: float = 120.0
    calls: int = 0
    minimum: int = 20
    failure_rate: float = 0.5
    slow_rate: float = 0.5
    slow_after: float | None = None


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """An outside service: where it is, how long it may take, how it says no.

    ``base_url`` is the public address; settings may point it elsewhere. ``timeout`` bounds one attempt from connect to
    last byte, ``deadline`` the whole call with its waits (seconds; ``None``: 5 and 60 for an API, 30 and 180 for a site).
    ``authenticate`` turns the key from the settings into parameters or headers; ``judge`` may find an error in an answer
    that HTTP calls fine (a challenge page, an error text). ``probe`` is a path that proves the service reachable.
    ``breaker_mode``: ``auto``; ``shadow`` counts but refuses nobody; ``open`` refuses everybody.
    Answers are kept for ``cache_ttl`` seconds (``None``: an hour for an API, not at all for a site), a "not found" for at most
    ``cache_negative_ttl``; after that one may be served, marked stale, for ``cache_revalidate`` seconds while a new one is
    fetched, and for ``cache_on_error`` seconds if none can be had. Quotas count requests per hour and day of the
    provider's ``time_zone``; the budget counts dollars per day, ``price_per_call_usd`` for each request.
    """

    name: str
    base_url: str
    kind: Literal["api", "site"] = "api"
    timeout: float | None = None
    deadline: float | None = None
    retries: int = 3
    rate_per_second: float = 0.0
    delay: float | None = None
    breaker_failures: int = 5
    breaker_wait: float = 60.0
    breaker_mode: BreakerMode = "auto"
    breaker_window: BreakerWindow = BreakerWindow()
    needs_key: bool = False
    authenticate: Callable[[str], Credentials] | None = None
    judge: Callable[[Answer], ServiceError | None] | None = None
    probe: str = "/"
    cache_ttl: float | None = None
    cache_negative_ttl: float = 300.0
    cache_revalidate: float = 0.0
    cache_on_error: float = 0.0
    hourly_quota: int | None = None
    daily_quota: int | None = None
    daily_budget_usd: float | None = None
    price_per_call_usd: float = 0.0
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        check_name("a service", self.name)
        is_api = self.kind == "api"
        for attribute, default in (
            ("timeout", 5.0 if is_api else 30.0),
            ("deadline", 60.0 if is_api else 180.0),
            ("delay", 0.0 if is_api else 1.0),
            ("cache_ttl", 3600.0 if is_api else 0.0),
        ):
            if getattr(self, attribute) is None:
                object.__setattr__(self, attribute, default)


@dataclass(frozen=True, slots=True)
class Replica:
    """A stand-in for services, for mock mode: ``start()`` serves on a free loopback port and returns base URLs by service.

    ``serve(port, faults)`` serves in the foreground until interrupted (``cinegraph replica serve``) and, once it listens, says
    on standard error where; ``faults`` are written ``SERVICE=KIND[:RATE]``, e.g. ``tmdb=429:0.2``, and one that makes no
    sense raises :class:`UsageError`.
    """

    name: str
    services: tuple[str, ...]
    start: Callable[[], Mapping[str, str]]
    serve: Callable[[int, Sequence[str]], None] | None = None

    def __post_init__(self) -> None:
        check_name("a replica", self.name)


class ServiceClient(Protocol):
    """What a plugin is handed to speak to one service; every request goes through the door."""

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, call: Call) -> Any:
        """Send a GET, return what ``call.read`` makes of the answer (without ``read``: the :class:`Answer`).

        Raises :class:`ServiceError` or :class:`PageError`. ``None`` parameters are left out.
        """
        ...

    @property
    def requests_sent(self) -> int:
        """How many HTTP requests have left through this client."""
        ...

    @property
    def provenance(self) -> Provenance:
        """The provenance of what this client's service answers in this run."""
        ...


# ---------------------------------------------------------------------------------------------------- sources


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page of an edition that a source wants.

    ``path`` is joined to the service's base URL; ``statement`` names who speaks there (``venice_official``). ``context``
    travels to :attr:`Source.read` untouched. A page that is not ``required`` may answer 404: it is then ``absent``, and
    no error if another page of the edition answered.
    """

    service: str
    path: str
    operation: str
    statement: str
    context: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True, slots=True)
class PageResult:
    """What a page said: nominations, facts about the edition, and further pages to fetch for it.

    ``truncated`` says in words what the page left out and no further page can bring (empty: nothing); the edition is
    then partial.
    """

    nominations: tuple[Nomination, ...] = ()
    number: int | None = None
    instance: int | None = None
    name: str | None = None
    follow: tuple[PageRequest, ...] = ()
    truncated: str = ""


@dataclass(frozen=True, slots=True)
class EditionPlan:
    """One edition to fetch: the festival, the year and its first pages."""

    festival: str
    year: int
    pages: tuple[PageRequest, ...]
    instance: int = 1


@dataclass(frozen=True, slots=True)
class PageInput:
    """A page as :attr:`Source.read` gets it: the answer, the request it belongs to, when it came and whence."""

    request: PageRequest
    answer: Answer
    fetched_at: float
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Source:
    """A festival or site: which pages an edition has, and what they say. No I/O.

    ``plan(arguments)`` turns spider arguments into edition plans and raises :class:`UsageError` for a wrong one;
    ``arguments`` maps each argument to one sentence of help. ``read(page)`` is pure and raises :class:`PageError` or
    :class:`BlockedError`, never returns an empty success. ``festivals`` maps each festival's key to its printed name.
    ``spider`` is an import string (``package.module:Class``); without it a generic spider named like the source is built.
    """

    name: str
    plan: Callable[[Mapping[str, str]], Iterable[EditionPlan]]
    read: Callable[[PageInput], PageResult]
    arguments: Mapping[str, str]
    festivals: Mapping[str, str]
    services: tuple[str, ...]
    spider: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Award and category names that mean the same at two sources, lower case, to one canonical form."""

    def __post_init__(self) -> None:
        check_name("a source", self.name)


# ---------------------------------------------------------------------------------------------------- matching


class Catalogue(Protocol):
    """A local list of every film's id and original title.

    It knows neither years nor people nor other titles: its candidates are not detailed, and a namesake may be missing.
    """

    async def same_title(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the films whose original title has the normal form of any of these, the best known first."""
        ...

    async def similar(self, titles: Iterable[str]) -> Sequence[Candidate]:
        """Return the few films whose original titles are most like any of these, the likest first."""
        ...


class LookupContext(Protocol):
    """What a matcher is handed for one lookup: clients, a local catalogue, and a memo shared by all levels of this lookup."""

    @property
    def memo(self) -> dict[Any, Any]:
        """Answers already fetched in this lookup, by whatever key the catalogue's client uses."""
        ...

    @property
    def catalogue(self) -> Catalogue | None:
        """The local catalogue, if one is loaded."""
        ...

    def client(self, service: str) -> ServiceClient:
        """Return the client of a service, counted for this lookup."""
        ...


@dataclass(frozen=True, slots=True)
class Matcher:
    """One level of the cascade: it proposes candidates and never accepts one; the core's evidence judges them all.

    ``level`` orders the cascade, ``confidence`` is the level's constant. ``propose`` raises :class:`ServiceError` when
    its answers are not complete, so that an outage is never a "not found". ``verify`` fetches what a candidate's search
    hit lacks (directors, other titles, runtime); levels of one catalogue share it. ``suggest`` names candidates that cost no
    search, from the local catalogue; as that may hide namesakes, one of them is accepted before ``propose`` was asked only
    if its director or IMDb id is the one asked for.
    """

    name: str
    level: int
    strategy: str
    confidence: float
    propose: Callable[[FilmQuery, LookupContext], Awaitable[Sequence[Candidate]]]
    verify: Callable[[Candidate, LookupContext], Awaitable[Candidate]] | None = None
    suggest: Callable[[FilmQuery, LookupContext], Awaitable[Sequence[Candidate]]] | None = None

    def __post_init__(self) -> None:
        check_name("a matcher", self.name)
        check_name("a strategy", self.strategy)


# ---------------------------------------------------------------------------------------------------- metrics


@runtime_checkable
class SinkWriter(Protocol):
    """Where measurements go; called from one background thread, never from the event loop."""

    def write(self, batch: Sequence[Measurement]) -> None:
        """Take a batch; may raise, which is counted and never reaches the measured call."""
        ...

    def close(self) -> None:
        """Flush and let go."""
        ...


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What a sink is opened with: the database's URL, and ``store``, which writes a batch to ``api_lookup_metrics``."""

    database_url: str
    store: Callable[[Sequence[Measurement]], None]
    clock: Clock


@dataclass(frozen=True, slots=True)
class MetricsSink:
    """A destination for measurements; ``open`` is called once per process, in the background thread."""

    name: str
    open: Callable[[SinkContext], SinkWriter]

    def __post_init__(self) -> None:
        check_name("a metrics sink", self.name)


# ---------------------------------------------------------------------------------------------------- later rooms


@dataclass(frozen=True, slots=True)
class Enricher:
    """Adds facts to a matched film: ``enrich(imdb_id, context)`` returns field names and values of one provider."""

    name: str
    service: str
    enrich: Callable[[str, LookupContext], Awaitable[Mapping[str, Any]]]

    def __post_init__(self) -> None:
        check_name("an enricher", self.name)


@dataclass(frozen=True, slots=True)
class AlertChannel:
    """Delivers an alert to people: ``send(title, body, severity)`` raises when it could not."""

    name: str
    send: Callable[[str, str, Literal["info", "warning", "critical"]], None]

    def __post_init__(self) -> None:
        check_name("an alert channel", self.name)


Registered = Source | Matcher | MetricsSink | Enricher | AlertChannel | ServiceSpec | Replica
