"""Which service a request belongs to, and how fast a service's requests may begin."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.settings import Settings

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.crawling.services import Pacer, RequestServices, service_name
from tests.support.crawling import opened
from tests.support.pages import SITE


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
        ("FESTIVAL.Film.PT", "festival_film_pt"),
        ("festival-film.pt", "festival_film_pt_e4d0c3"),
    ],
)
def test_a_foreign_host_gets_a_service_name(host: str, name: str) -> None:
    assert service_name(host) == name


def test_no_two_hosts_are_one_service_in_any_order_or_process(tmp_path: Path) -> None:
    hosts = ["my-shop.example.org", "my.shop.example.org", "my_shop.example.org", "1und1.de", "host.1und1.de", "[::1]:80", "1:80"]
    hosts += ["host:80", "80", "127.0.0:1", "127.0.0.1", "example.org:80", "example.org.80"]
    named = []
    for order in (hosts, hosts[::-1]):
        with opened(tmp_path, SITE) as (application, _):
            of = RequestServices(application)
            named.append({host: of.name_of(Request(f"https://{host}/a")) for host in order})
            for host, name in named[-1].items():
                assert application.services.join(name, "/robots.txt") == f"https://{host}/robots.txt"
    assert named[0] == named[1]
    assert len(set(named[0].values())) == len(hosts)


def test_middlewares_and_crawls_of_one_process_agree_on_a_hosts_service(tmp_path: Path) -> None:
    url = Request("https://site/a")
    with opened(tmp_path, SITE) as (application, _):
        names = {RequestServices(application).name_of(url) for _ in range(2)}
    assert names == {"site_fbae04"}


def test_a_host_never_becomes_a_service_that_a_plugin_brings(tmp_path: Path) -> None:
    with opened(tmp_path, SITE) as (application, _):
        of = RequestServices(application)
        name = of.name_of(Request("http://site:80/a"))
        assert application.services.spec("site") == SITE
        assert name == "site_80"
        name = of.name_of(Request("http://site/a"))
        assert application.services.join(name, "/robots.txt") == "http://site/robots.txt"
    assert name != "site"


def test_a_password_in_an_address_is_no_part_of_a_services_name(tmp_path: Path) -> None:
    with opened(tmp_path, SITE) as (application, _):
        of = RequestServices(application)
        name = of.name_of(Request("http://user:geheim@Shop.example.net:8080/a"))
        assert name == of.name_of(Request("http://shop.example.net:8080/b")) == "shop_example_net_8080"
        assert application.services.spec(name).base_url == "http://shop.example.net:8080"
        assert of.name_of(Request("https://user:geheim@www.example.org/a")) == "site"


@pytest.mark.parametrize(
    ("chosen", "timeout", "deadline"),
    [
        ({}, 30.0, 180.0),
        ({"DOWNLOAD_TIMEOUT": 0}, 30.0, 180.0),
        ({"DOWNLOAD_TIMEOUT": 2}, 2.0, 180.0),
        ({"DOWNLOAD_TIMEOUT": 300}, 300.0, 300.0),
    ],
)
def test_a_foreign_host_has_the_timeout_that_the_project_has_chosen(
    tmp_path: Path, chosen: dict[str, int], timeout: float, deadline: float
) -> None:
    with opened(tmp_path) as (application, _):
        name = RequestServices(application, Settings(chosen)).name_of(Request("https://www.example.org/a"))
        spec = application.services.spec(name)
    assert (spec.timeout, spec.deadline) == (timeout, deadline)


def test_only_a_timeout_that_somebody_chose_bounds_a_request(tmp_path: Path) -> None:
    with opened(tmp_path) as (application, _):
        default, chosen = (RequestServices(application, Settings(given)) for given in ({}, {"DOWNLOAD_TIMEOUT": 180}))
    assert [default.chosen_timeout(own) for own in (None, 0, 180.0, 1.0)] == [inf, inf, inf, 1.0]
    assert [chosen.chosen_timeout(own) for own in (None, 0, 180.0, 1.0)] == [inf, inf, 180.0, 1.0]


def test_the_settings_of_an_own_service_count_for_its_host(tmp_path: Path) -> None:
    services = {"shop_example_net": {"base_url": "http://127.0.0.1:8000/shop", "timeout": 7.0, "delay": 3.0}}
    with opened(tmp_path, own_services="shop_example_net", services=services) as (application, _):
        of = RequestServices(application, Settings({"DOWNLOAD_TIMEOUT": 2}))
        name = of.name_of(Request("https://shop.example.net/a"))
        led = of.effective(name, "https://shop.example.net/a?b=1")
        assert (name, led) == ("shop_example_net", "http://127.0.0.1:8000/shop/a?b=1")
        assert of.name_of(Request(led)) == name
        spec = application.services.spec(name)
    assert (spec.timeout, spec.delay, spec.base_url) == (7.0, 3.0, "https://shop.example.net")


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
