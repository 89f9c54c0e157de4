"""Looks how the services do: passively from real traffic, and by one cheap request each where that does not tell.

A probe goes through the door like any call: quota, budget, rate limit and breaker see it, and it leaves its row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlmodel import Session

from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.errors import ConfigurationError, PageError, ServiceError
from cinegraph_core.records import Mode
from cinegraph_core.resilience.budget import MICRO
from cinegraph_core.resilience.health import Health, Look, is_telling, judge_anew, judge_look
from cinegraph_core.services.door import Services
from cinegraph_core.services.rules import tariff_of
from cinegraph_core.services.standing import Standing, read_standing
from cinegraph_core.storage import Database
from cinegraph_core.storage.health import keep_health
from cinegraph_core.storage.traffic import PROBE

INTERVAL = 30.0
"""Seconds between two looks where they are repeated."""
AT_ONCE = 8
"""Probes under way at a time."""
NO_PROBE = "; it has no probe that could tell"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a service found; ``requests`` and ``cost_usd`` are what the look itself took, ``error_type`` its end."""

    service: str
    health: Health
    requests: int = 0
    cost_usd: float = 0.0
    error_type: str | None = None


class HealthChecker:
    """Looks at services over a door, and keeps what it found in the database (``system_health_status``)."""

    def __init__(self, services: Services, database: Database) -> None:
        self._services = services
        self._database = database

    async def check(self, *names: str, always: bool = False) -> list[Checked]:
        """Look at these services, or at all; a probe is sent where traffic does not tell, or ``always``.

        None is sent to a service whose breaker is open. A service that is named twice is looked at once. Raises
        :class:`ConfigurationError` for one nobody brought.
        """
        specs = [self._services.spec(name) for name in dict.fromkeys(names or self._services.names())]
        standing = await asyncio.to_thread(self._read)
        asked = [spec for spec in specs if _is_to_be_asked(spec, standing, always=always)]
        for spec in asked:
            with suppress(ConfigurationError):  # the probe itself will say it
                self._services.http_client(spec.name)  # opened beforehand, as opening takes time that is not the service's
        places = asyncio.Semaphore(AT_ONCE)
        looks = await asyncio.gather(*(self._probe(spec, places) for spec in asked))
        seen = {spec.name: look for spec, look in zip(asked, looks, strict=True)}
        found = [_checked(spec, standing, seen.get(spec.name), always=always) for spec in specs]
        await self._database.run(self._keep, found)
        return found

    async def watch(self, *names: str, every: float = INTERVAL) -> AsyncGenerator[list[Checked], None]:
        """Yield what a look finds, again and again, with ``every`` seconds from one to the next."""
        clock = self._services.clock
        while True:
            due = clock.monotonic() + every
            yield await self.check(*names)
            await clock.sleep(max(0.0, due - clock.monotonic()))

    async def _probe(self, spec: ServiceSpec, places: asyncio.Semaphore) -> Look:
        name, path, clock = spec.name, spec.probe or "", self._services.clock
        mode: Mode | None = "real" if self._services.mode(name) == "hybrid" else None  # a replica in its place proves nothing
        call = Call(name, PROBE, path, absent_ok=True, fresh=True, mode=mode, retry=False)
        client = self._services.client(name)
        async with places:
            began = clock.monotonic()
            try:
                state = self._services.state(name)
                began += state.turn(began, state.deadline)  # our own pace is not the service's slowness
            except (ServiceError, ConfigurationError) as refusal:
                return Look(0.0, 0, refusal=str(refusal))
            try:
                await client.get(path, call=call)
            except (ServiceError, PageError) as error:
                return Look((clock.monotonic() - began) * 1e3, client.requests_sent, error.error_type, str(error))
            return Look((clock.monotonic() - began) * 1e3, client.requests_sent)

    def _read(self) -> Standing:
        with self._database.reading() as session:
            return read_standing(session, self._services.clock.now())

    def _keep(self, session: Session, found: Sequence[Checked]) -> None:
        for one in found:
            keep_health(session, one.service, one.health, now=self._services.clock.now())


def _is_to_be_asked(spec: ServiceSpec, standing: Standing, *, always: bool) -> bool:
    if spec.probe is None or standing.breaker(spec) == "open":
        return False
    return always or not is_telling(standing.current(spec.name))


def _checked(spec: ServiceSpec, standing: Standing, look: Look | None, *, always: bool) -> Checked:
    if look is None:
        health = standing.health(spec)
        if spec.probe is None and health.status == "unknown":
            health = replace(health, reason=health.reason + NO_PROBE)
        return Checked(spec.name, health)
    seen = judge_look(look)
    # A look that failed is stored as such: an earlier finding is not what is known now.
    health = seen if always or seen.status == "unknown" else judge_anew(standing.health(spec, seen), seen)
    return Checked(spec.name, health, look.requests, look.requests * tariff_of(spec).call / MICRO, look.error_type)
