"""A site of single pages, and a spider that fetches each as a call of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrapy import Request, Spider

from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.crawling.services import CALL
from cinegraph_core.crawling.tickets import RECEIPT
from cinegraph_core.errors import LayoutChangedError

SITE = ServiceSpec("site", "https://www.example.org", kind="site", retries=3)


def _read(answered: Answer) -> str:
    text = answered.body.decode()
    if "card" not in text:
        raise LayoutChangedError("no card on the page")
    return text.upper()


class PageSpider(Spider):
    """Fetches pages of the service ``site``, each as a call of its own."""

    name = "page"
    base = ""
    paths: tuple[str, ...] = ("/a",)
    absent_ok = False
    fresh = False

    async def start(self) -> Any:
        for path in self.paths:
            call = Call("site", "fetch_card", path, read=_read, absent_ok=self.absent_ok, fresh=self.fresh)
            yield Request(self.base + path, callback=self.came, errback=self.failed, meta={CALL: call}, dont_filter=True)

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"status": response.status, "receipt": response.meta[RECEIPT]}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value}
