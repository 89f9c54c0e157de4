"""Public and effective addresses of a service, whatever path either has."""

from __future__ import annotations

import pytest

from cinegraph_core.services.addresses import Addresses, is_loopback, shown

SITE = Addresses("https://www.labiennale.org", "http://127.0.0.1:8765/pages/venice")
API = Addresses("https://api.themoviedb.org/3", "http://127.0.0.1:8765/tmdb/3")
LIVE = Addresses("https://api.themoviedb.org/3", "https://api.themoviedb.org/3")


@pytest.mark.parametrize(
    ("addresses", "href", "expected"),
    [
        (
            SITE,
            "/en/cinema/2024/venezia-81-competition",
            "http://127.0.0.1:8765/pages/venice/en/cinema/2024/venezia-81-competition",
        ),
        (SITE, "en/cinema", "http://127.0.0.1:8765/pages/venice/en/cinema"),
        (SITE, "https://www.labiennale.org/en/a?page=2&q=a%26b", "http://127.0.0.1:8765/pages/venice/en/a?page=2&q=a%26b"),
        (SITE, "http://labiennale.org/en/a/", "http://127.0.0.1:8765/pages/venice/en/a/"),
        (SITE, "//www.labiennale.org/en/a", "http://127.0.0.1:8765/pages/venice/en/a"),
        (SITE, "http://127.0.0.1:8765/pages/venice/en/a#films", "http://127.0.0.1:8765/pages/venice/en/a"),
        (SITE, "/pages/venice/en/a", "http://127.0.0.1:8765/pages/venice/en/a"),
        (SITE, "/pages/venice2/a", "http://127.0.0.1:8765/pages/venice/pages/venice2/a"),
        (SITE, "https://www.labiennale.org", "http://127.0.0.1:8765/pages/venice/"),
        (SITE, "/", "http://127.0.0.1:8765/pages/venice/"),
        (SITE, "/en/../../../x", "http://127.0.0.1:8765/pages/venice/x"),
        (API, "/movie/1", "http://127.0.0.1:8765/tmdb/3/movie/1"),
        (API, "https://api.themoviedb.org/3/movie/1?language=de", "http://127.0.0.1:8765/tmdb/3/movie/1?language=de"),
        (LIVE, "/movie/1", "https://api.themoviedb.org/3/movie/1"),
        (LIVE, "https://api.themoviedb.org/3/movie/1", "https://api.themoviedb.org/3/movie/1"),
    ],
)
def test_links_become_effective(addresses: Addresses, href: str, expected: str) -> None:
    assert addresses.join(href) == expected
    assert addresses.join(expected) == expected, "joining twice changes nothing"


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/en/a",
        "https://www.labiennale.org.evil.example/en",
        "http://127.0.0.1:8765/pages/cannes/x",
        "http://127.0.0.1:8765/pages/venice/../cannes/x",
        "http://127.0.0.1:9999/pages/venice/x",
        "mailto:press@labiennale.org",
        "javascript:void(0)",
    ],
)
def test_links_that_lead_out_are_refused(href: str) -> None:
    with pytest.raises(ValueError, match="is not under"):
        SITE.join(href)


@pytest.mark.parametrize(
    ("addresses", "url", "expected"),
    [
        (SITE, "http://127.0.0.1:8765/pages/venice/en/a?page=2", "https://www.labiennale.org/en/a?page=2"),
        (SITE, "https://www.labiennale.org/en/a", "https://www.labiennale.org/en/a"),
        (SITE, "https://user:secret@elsewhere.example/x?y=1", "https://elsewhere.example/x?y=1"),
        (API, "http://127.0.0.1:8765/tmdb/3/movie/1", "https://api.themoviedb.org/3/movie/1"),
        (API, "http://127.0.0.1:8765/tmdb/3", "https://api.themoviedb.org/3"),
    ],
)
def test_effective_urls_become_public(addresses: Addresses, url: str, expected: str) -> None:
    assert addresses.published(url) == expected


def test_this_machine_is_recognised() -> None:
    assert [is_loopback(f"http://{host}/x") for host in ("localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:5")] == [True] * 4
    assert not is_loopback("https://api.themoviedb.org/3")


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("https://www.example.org/film/1?token=s3cret#top", "https://www.example.org/film/1"),
        ("https://anna:s3cret@www.example.org:8443/film", "https://www.example.org:8443/film"),
        ("//www.example.org/film", "https://www.example.org/film"),
        ("/film/2?session=s3cret", "/film/2"),
        ("http://127.0.0.1:8765/tmdb/3/movie/1", "/tmdb/3/movie/1"),
        ("http://localhost", "/"),
        ("http://10.1.2.3:9000/inside", "/inside"),
        ("http://cache/inside", "/inside"),
        ("http://[::1]:80/inside", "/inside"),
        ("http://[2606:4700::1]/film", "http://[2606:4700::1]/film"),
        ("http://[", "?"),
        ("http://host:port/", "?"),
    ],
)
def test_a_link_of_somebody_else_s_is_told_without_secrets_and_inner_addresses(link: str, told: str) -> None:
    assert shown(link) == told
