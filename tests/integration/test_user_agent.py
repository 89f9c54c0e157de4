"""Every service is told who asks, and where we are found if that was set."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from scrapy import Spider

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.services.agent import user_agent
from tests.support.clocks import PatientClock
from tests.support.crawling import crawl_in, opened
from tests.support.fault_server import FaultServer, answer, html


def test_without_a_contact_we_go_by_our_name_alone() -> None:
    assert re.fullmatch(r"cinegraph/[\w.]+", user_agent(None))
    assert user_agent("me@example.org\n by mail").endswith(" (+me@example.org by mail)")


def test_clients_of_both_kinds_and_crawls_tell_the_contact(tmp_path: Path, server: FaultServer) -> None:
    contact = "Jörg, me@example.org"
    server.plan("/film", answer(), answer())
    server.plan("/page", html(200))
    server.plan("/robots.txt", answer(404))

    class Reader(Spider):
        name = "reader"
        start_urls = [f"{server.url}/page"]  # noqa: RUF012 - so Scrapy wants it

        def parse(self, _response: object) -> None:
            """Take nothing."""

    async def work() -> None:
        async with services.http_client("films") as http:
            await http.get("/film")
        await crawl_in(application, Reader, {}, {})

    with opened(
        tmp_path, ServiceSpec(name="films", base_url=server.url), contact=contact, clock=PatientClock(patient_from=2.0)
    ) as (application, _):
        services = application.services
        with services.sync_client("films") as http:
            http.get("/film")
        asyncio.run(work())
    told = {exchange.target: exchange.headers["user-agent"] for exchange in server.received}
    assert told.keys() == {"/film", "/page", "/robots.txt"}
    assert {agent.encode("latin-1").decode() for agent in told.values()} == {user_agent(contact)}
