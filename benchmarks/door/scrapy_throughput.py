"""How many pages a second Scrapy fetches with the add-on beside plain Scrapy: a local server, no delay, no cache.

Each crawl is a process of its own; pairs alternate, medians of the rounds. The add-on brings everything that it brings to a
foreign project: the door with breaker, limits and retries, robots.txt through it, and a row for each page in a database::

    python benchmarks/door/scrapy_throughput.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median

PAGES = 1000
ROUNDS = 7
BODY = b"<html><title>A page</title>" + b"<p>text</p>" * 300 + b"</html>"
CRAWL = """
import json, sys, time
from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess

base, pages, addons = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])

class Pages(Spider):
    name = "pages"
    async def start(self):
        for number in range(pages):
            yield Request(f"{base}/{number}")
    def parse(self, response):
        self.crawler.stats.inc_value("pages_parsed")

process = CrawlerProcess({"ADDONS": addons, "LOG_LEVEL": "ERROR", "ROBOTSTXT_OBEY": False, "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "TELNETCONSOLE_ENABLED": False})
crawler = process.create_crawler(Pages)
process.crawl(crawler)
process.start()
stats = crawler.stats.get_stats()
assert stats["pages_parsed"] == pages, stats
print(json.dumps(stats["elapsed_time_seconds"]))
"""


class Handler(BaseHTTPRequestHandler):
    """Answers every path with the same page, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(BODY)}\r\n\r\n"
        self.wfile.write(head.encode() + BODY)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def server() -> Iterator[str]:
    """Serve from a process of its own, so that it takes no time from the crawl's."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import scrapy_throughput as s; s.serve()"
    command = [sys.executable, "-c", code, os.path.dirname(os.path.abspath(__file__))]  # noqa: PTH100, PTH120
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def serve() -> None:
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{serving.server_port}", flush=True)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    threading.Event().wait()


def crawl(base: str, addons: dict[str, int]) -> float:
    """Return pages per second."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"PATH": os.environ["PATH"], "CINEGRAPH_MODE": "real", "HOME": folder}
        command = [sys.executable, "-c", CRAWL, base, str(PAGES), json.dumps(addons)]
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return PAGES / float(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    with server() as base:
        addons = {"cinegraph_core.crawling.CinegraphAddon": 500}
        crawl(base, {}), crawl(base, addons)
        rounds = [(crawl(base, addons), crawl(base, {})) for _ in range(ROUNDS)]
    ours, plain = median(one for one, _ in rounds), median(other for _, other in rounds)
    ratio = median(one / other for one, other in rounds)
    print(f"pages a second: with the add-on {ours:.0f}   plain Scrapy {plain:.0f}   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
