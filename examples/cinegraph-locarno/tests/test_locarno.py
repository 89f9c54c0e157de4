"""How a plugin author tests: fresh plugins, the plugin's own replica, no installation and no network."""

from __future__ import annotations

import urllib.request

import pytest

import cinegraph_locarno
from cinegraph_core import Answer, LayoutChangedError, PageInput, PageRequest, UsageError
from cinegraph_core.testing import fresh_plugins, replica


def fetch(path: str) -> PageInput:
    """Fetch a page from the replica, as the door would hand it to the source."""
    plugins = fresh_plugins(cinegraph_locarno)
    with replica(plugins) as urls, urllib.request.urlopen(urls["locarno"] + path) as response:
        answer = Answer(response.status, {}, response.read(), f"https://www.locarnofestival.ch{path}")
    request = PageRequest(service="locarno", path=path, operation="fetch_awards", statement="locarno_official")
    return PageInput(request, answer, fetched_at=1_700_000_000.0, provenance="mock")


def test_the_plugin_loads_and_brings_its_objects() -> None:
    plugins = fresh_plugins(cinegraph_locarno)
    (info,) = plugins.infos()
    assert (info.status, info.kinds) == ("active", ("source", "matcher", "metrics_sink", "service", "replica"))
    assert plugins.sources()["locarno"].spider is None


def test_an_edition_is_one_page() -> None:
    (plan,) = cinegraph_locarno.palmares.plan({"year": "2024"})
    assert (plan.festival, plan.year, [page.path for page in plan.pages]) == ("locarno", 2024, ["/palmares/2024"])


@pytest.mark.parametrize("arguments", [{}, {"year": "24"}, {"year": "1900"}, {"year": "2024", "yaer": "2024"}])
def test_a_wrong_argument_is_an_error(arguments: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="locarno takes year=YYYY"):
        list(cinegraph_locarno.palmares.plan(arguments))


def test_the_awards_of_2024() -> None:
    result = cinegraph_locarno.palmares.read(fetch("/palmares/2024"))
    assert result.number == 77
    golden, *_, last = result.nominations
    assert (golden.award, golden.films[0].title) == ("Golden Leopard", "Akiplėša (Toxic)")
    assert golden.films[0].directors == ("Saulė Bliuvaitė",)
    assert [person.name for person in last.people] == ["Kim Minhee"]
    assert len({nomination.key for nomination in result.nominations}) == 5


def test_a_page_without_awards_is_no_empty_success() -> None:
    page = fetch("/palmares/2024")
    empty = Answer(200, {}, b"<h1>Palmares of the 77th edition</h1>", page.answer.url)
    with pytest.raises(LayoutChangedError):
        cinegraph_locarno.palmares.read(PageInput(page.request, empty, page.fetched_at, page.provenance))
