"""A sick service does not take what a healthy one needs, whoever calls: loops, threads, functions, crawls; over real HTTP."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider

from cinegraph_core import guarded
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import ServiceError, ServiceTimeoutError
from tests.support.clocks import PatientClock
from tests.support.crawling import crawl
from tests.support.door import Rows, open_door
from tests.support.fault_server import FaultServer, answer
from tests.support.sick_and_well import SICK, Gate, door, get
from tests.support.waiting import within


def test_a_sick_service_leaves_the_connections_of_a_loop_to_a_healthy_one(server: FaultServer) -> None:
    gate = Gate()
    server.plan("/sick", gate)
    server.plan("/well", answer())
    services, _ = door(server, max_concurrent=4)

    async def work() -> tuple[Any, float]:
        sick = [asyncio.ensure_future(get(services, "sick", "/sick")) for _ in range(200)]
        assert await asyncio.to_thread(within, 10.0, lambda: gate.inside == 4)
        began = time.monotonic()
        answers = await asyncio.gather(*(get(services, "well", "/well") for _ in range(20)))
        took = time.monotonic() - began
        for call in sick:
            call.cancel()
        gate.open.set()
        await asyncio.gather(*sick, return_exceptions=True)
        await services.aclose()
        return answers, took

    answers, took = asyncio.run(work())
    assert answers == [{"id": 1}] * 20
    assert took < 3.0
    assert server.counts["/sick"] == 4


def test_a_sick_service_leaves_the_threads_of_a_pool_to_a_healthy_one(server: FaultServer) -> None:
    gate = Gate()
    server.plan("/sick", gate)
    server.plan("/well", answer())
    services, _ = door(server, max_concurrent=2, max_waiting=0)

    def ask(name: str) -> int | str:
        try:
            return clients[name].get(f"/{name}").status_code
        except ServiceError as error:
            return error.error_type

    with services.sync_client("sick") as sick, services.sync_client("well") as well:
        clients = {"sick": sick, "well": well}
        with ThreadPoolExecutor(4) as pool:
            hanging = [pool.submit(ask, "sick") for _ in range(10)]
            assert within(10.0, lambda: sum(one.done() for one in hanging) == 8)
            assert [pool.submit(ask, "well").result(5.0) for _ in range(8)] == [200] * 8
            gate.open.set()
        assert sorted(str(one.result()) for one in hanging) == ["200"] * 2 + ["bulkhead_full"] * 8
    assert gate.most == 2


def test_a_function_that_blocks_waits_with_its_thread() -> None:
    services = open_door(clock=SystemClock(), rows=Rows())
    spec = ServiceSpec("shop", base_url="", max_concurrent=2)
    inside, most, lock, begun = [0], [0], threading.Lock(), threading.Barrier(8)

    @guarded(spec, services=services)
    def work() -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        with lock:
            inside[0] -= 1

    def caller() -> None:
        begun.wait()
        work()

    threads = [threading.Thread(target=caller) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert (inside[0], most[0]) == (0, 2)


def test_a_function_that_blocks_waits_no_longer_than_its_deadline() -> None:
    rows, started, done = Rows(), threading.Event(), threading.Event()
    services = open_door(clock=SystemClock(), rows=rows)
    spec = ServiceSpec("shop", base_url="", max_concurrent=1, deadline=0.2)

    @guarded(spec, services=services)
    def work() -> None:
        started.set()
        done.wait(10.0)

    holder = threading.Thread(target=work)
    holder.start()
    assert started.wait(5.0)
    with pytest.raises(ServiceTimeoutError, match="none of the 1 calls to shop under way ended in time"):
        work()
    done.set()
    holder.join(5.0)
    work()


def test_0_is_no_bound(server: FaultServer) -> None:
    gate = Gate()
    server.plan("/film", gate)
    services, _ = door(server, max_concurrent=0)

    async def work() -> None:
        calls = [asyncio.ensure_future(get(services, "sick", "/film")) for _ in range(80)]
        assert await asyncio.to_thread(within, 10.0, lambda: gate.inside == 80)
        gate.open.set()
        await asyncio.gather(*calls)
        await services.aclose()

    asyncio.run(work())


class Pages(Spider):
    name = "pages"
    base = ""

    async def start(self) -> Any:
        for number in range(8):
            yield Request(f"{self.base}/film?n={number}", callback=self.came)

    def came(self, response: Any) -> Any:
        yield {"status": response.status}


def test_a_crawl_keeps_the_bound_too(server: FaultServer, tmp_path: Path) -> None:
    gate = Gate()
    server.plan("/film", gate)

    def let_go() -> None:
        assert within(10.0, lambda: gate.inside == 2)
        time.sleep(0.3)  # long enough for a third one to come, if it may
        gate.open.set()

    opening = threading.Thread(target=let_go)
    opening.start()
    spider = type("PagesOf", (Pages,), {"base": server.url})
    given = {"sick": {"base_url": server.url, "max_concurrent": 2}}
    run = crawl(
        tmp_path,
        spider,
        SICK,
        services=given,
        scrapy={"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS_PER_DOMAIN": 8},
        clock=PatientClock(patient_from=1.0, patience=5.0),
    )
    opening.join()
    assert [item["status"] for item in run.items] == [200] * 8
    assert gate.most == 2
