"""What a plugin says of an outside service: where it is, how it says no, and what stands in for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cinegraph_core.contracts.calls import Answer
from cinegraph_core.contracts.naming import check_name
from cinegraph_core.errors import ServiceError
from cinegraph_core.resilience.breaker import BreakerMode

OnExhausted = Literal["park", "stale", "refuse"]
"""What becomes of a call for which a quota or a budget has no room."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What :attr:`ServiceSpec.authenticate` adds to a request: query parameters and headers."""

    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BreakerWindow:
    """The second rule of a service's breaker, for one that fails often but never five times in a row, or only grows slow.

    The breaker opens when the last ``seconds`` (or the last ``calls`` calls, if that is set) hold at least ``minimum`` calls
    and the share ``failure_rate`` of them failed, or the share ``slow_rate`` took longer than ``slow_after`` seconds (``None``:
    5, or half the service's timeout where that is more). Twenty calls and one half are Hystrix's limits; in two minutes one
    caller can make twenty calls even if each takes over five seconds.
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
    that HTTP calls fine (a challenge page, an error text). ``probe`` is a path whose answer is cheap and proves that the
    service works (``None``: ``/robots.txt`` of a site; an API is then not probed, and is ``unknown`` without traffic).
    At most ``max_concurrent`` calls of a process are under way at once (0: no bound) and ``max_waiting`` more wait for a place.
    ``breaker_mode``: ``auto``; ``shadow`` counts but refuses nobody unless a person opens it; ``open`` refuses everybody.
    Answers are kept for ``cache_ttl`` seconds (``None``: an hour for an API, not at all for a site), a "not found" for at most
    ``cache_negative_ttl``; after that an answer may be served, marked stale, for ``cache_revalidate`` seconds while a new one
    is fetched, and for ``cache_on_error`` seconds if none can be had. Quotas count requests per hour and day of the provider's
    ``time_zone``; the budget counts dollars per day: ``price_per_call_usd`` for each request, and the price of its tokens.
    ``max_input_tokens`` and ``max_output_tokens`` are reserved before a request, those it took are paid after it.
    ``on_exhausted``: ``park`` the work until the window ends, ``stale`` (a stale answer where ``cache_on_error`` keeps one,
    else as ``park``), or ``refuse``.
    """

    name: str
    base_url: str
    kind: Literal["api", "site"] = "api"
    timeout: float | None = None
    deadline: float | None = None
    retries: int = 3
    rate_per_second: float = 0.0
    delay: float | None = None
    max_concurrent: int = 64
    max_waiting: int = 4096
    breaker_failures: int = 5
    breaker_wait: float = 60.0
    breaker_mode: BreakerMode = "auto"
    breaker_window: BreakerWindow = BreakerWindow()
    needs_key: bool = False
    authenticate: Callable[[str], Credentials] | None = None
    judge: Callable[[Answer], ServiceError | None] | None = None
    probe: str | None = None
    cache_ttl: float | None = None
    cache_negative_ttl: float = 300.0
    cache_revalidate: float = 0.0
    cache_on_error: float = 0.0
    hourly_quota: int | None = None
    daily_quota: int | None = None
    daily_budget_usd: float | None = None
    price_per_call_usd: float = 0.0
    price_per_million_input_tokens_usd: float = 0.0
    price_per_million_output_tokens_usd: float = 0.0
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    on_exhausted: OnExhausted = "park"
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        check_name("a service", self.name)
        is_api = self.kind == "api"
        for attribute, default in (
            ("timeout", 5.0 if is_api else 30.0),
            ("deadline", 60.0 if is_api else 180.0),
            ("delay", 0.0 if is_api else 1.0),
            ("cache_ttl", 3600.0 if is_api else 0.0),
            ("probe", None if is_api else "/robots.txt"),
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
