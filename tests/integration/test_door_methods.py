"""Which requests are sent again after a failure: by their methods, and by what the call says of itself; over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider

from cinegraph_core.contracts import Call, ServiceSpec
from cinegraph_core.crawling.services import CALL
from cinegraph_core.errors import NetworkError, ServerError
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.crawling import crawl
from tests.support.door import NAME, Rows, open_door, run_in
from tests.support.fault_server import FaultServer, answer

SPEC = ServiceSpec(NAME, "https://films.example")
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
Send = Callable[..., int]


def door(server: FaultServer) -> Services:
    server.plan("/film", answer(503, b""), answer(200, b""))
    return open_door(SPEC, clock=PatientClock(patient_from=5.0), rows=Rows(), services={NAME: {"base_url": server.url}})


def awaited(services: Services, method: str, **request: Any) -> int:
    async def work() -> int:
        return (await services.http_client(NAME).request(method, "/film", **request)).status_code

    return int(run_in(services, work))


def blocking(services: Services, method: str, **request: Any) -> int:
    with services.sync_client(NAME) as http:
        return http.request(method, "/film", **request).status_code


@pytest.mark.parametrize("send", [awaited, blocking])
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_what_does_no_more_when_sent_twice_is_sent_again(server: FaultServer, send: Send, method: str) -> None:
    assert send(door(server), method) == 200
    assert server.counts["/film"] == 2


@pytest.mark.parametrize("send", [awaited, blocking])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_any_other_method_is_sent_again_only_if_the_call_says_so(server: FaultServer, send: Send, method: str) -> None:
    with pytest.raises(ServerError):
        send(door(server), method, content=b"{}")
    assert server.counts["/film"] == 1
    said = {"cinegraph": Call(NAME, "search", "films", idempotent=True)}
    assert send(door(server), method, content=b"{}", extensions=said) == 200
    assert server.counts["/film"] == 1 + 2


@pytest.mark.parametrize("send", [awaited, blocking])
def test_a_call_that_says_it_must_not_be_repeated_is_not(server: FaultServer, send: Send) -> None:
    with pytest.raises(ServerError):
        send(door(server), "GET", extensions={"cinegraph": Call(NAME, "draw", "ticket", idempotent=False)})
    assert server.counts["/film"] == 1


def test_a_body_that_is_read_while_it_is_sent_is_sent_once(server: FaultServer) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"{}"

    with pytest.raises((ServerError, NetworkError)):  # the server may hang up before it has read the body
        awaited(door(server), "PUT", content=parts())
    assert server.counts["/film"] == 1


class Searches(Spider):
    name = "searches"
    base = ""

    async def start(self) -> Any:
        for path, idempotent in (("/said", True), ("/unsaid", None)):
            call = Call(NAME, "search", path, idempotent=idempotent)
            meta = {CALL: call}
            yield Request(self.base + path, method="POST", body=b"x", meta=meta, callback=self.came, errback=self.failed)

    def came(self, response: Any) -> Any:
        yield {"status": response.status}

    def failed(self, failure: Any) -> Any:
        yield {"error": failure.value}


def test_a_crawl_keeps_to_the_same(server: FaultServer, tmp_path: Path) -> None:
    for path in ("/said", "/unsaid"):
        server.plan(path, answer(503), answer())
    spider = type("SearchesOf", (Searches,), {"base": server.url})
    given = {NAME: {"base_url": server.url}}
    run = crawl(tmp_path, spider, SPEC, services=given, scrapy={"ROBOTSTXT_OBEY": False}, clock=PatientClock(patient_from=5.0))
    assert [item.get("status") for item in run.items if "status" in item] == [200]
    assert (server.counts["/said"], server.counts["/unsaid"]) == (2, 1)
