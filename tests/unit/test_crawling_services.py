"""Which service a request belongs to, and how fast a service's requests may begin."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy import Request

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.crawling.services import Pacer, RequestServices, service_name
from tests.support.crawling import opened


def test_a_service_begins_at_a_whole_part_of_a_path(tmp_path: Path) -> None:
    third = ServiceSpec("third", "https://api.example.org/3")
    with opened(tmp_path, third) as (application, _):
        of = RequestServices(application)
        assert of.name_of(Request("https://api.example.org/3/movie/11")) == "third"
        assert of.name_of(Request("https://api.example.org/3")) == "third"
        assert of.name_of(Request("https://api.example.org/30/movie/11")) == "api_example_org"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("www.example.org", "www_example_org"),
        ("example.org:8080", "example_org_8080"),
        ("127.0.0.1:80", "host_127_0_0_1_80"),
        ("FESTIVAL-Film.PT", "festival_film_pt"),
    ],
)
def test_a_foreign_host_gets_a_service_name(host: str, name: str) -> None:
    assert service_name(host) == name


def test_requests_of_a_service_begin_one_delay_apart() -> None:
    pacer = Pacer(vary=lambda: 0.5)
    assert [pacer.reserve("venice", 1.0, 100.0) for _ in range(3)] == [0.0, 1.0, 2.0]
    assert pacer.reserve("imdb", 1.0, 100.0) == 0.0
    assert pacer.reserve("venice", 1.0, 110.0) == 0.0


def test_the_delay_varies_by_half_in_both_directions() -> None:
    low, high = Pacer(vary=lambda: 0.0), Pacer(vary=lambda: 1.0)
    assert [low.reserve("venice", 2.0, 0.0) for _ in range(2)] == [0.0, 1.0]
    assert [high.reserve("venice", 2.0, 0.0) for _ in range(2)] == [0.0, 3.0]


def test_without_a_delay_nobody_waits() -> None:
    pacer = Pacer()
    assert [pacer.reserve("venice", 0.0, 5.0) for _ in range(3)] == [0.0, 0.0, 0.0]
