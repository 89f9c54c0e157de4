"""Feeds that are files: looked at before the crawl, and told afterwards where they are not whole.

Scrapy logs a feed that fails and ends as if all were well; one that cannot be opened costs the other feeds their items too.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urlparse

from scrapy.extensions.feedexport import FeedExporter, FileFeedStorage, ItemFilter

from cinegraph_core.crawling.house import house_of
from cinegraph_core.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from cinegraph_core.crawling.ledger import Ledger

LOCAL = ("", "file")
"""The schemes of feeds that are files."""
_FAILED = "feedexport/failed_count/"


class _File(io.FileIO):
    """A file that is given up at its first error: the rest is dropped, so that the other feeds go on."""

    error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


class FeedFile(FileFeedStorage):
    """A feed in a local file; until it is written to its end, the ledger lists it as not whole."""

    _ledger: Ledger
    _file: _File

    @classmethod
    def from_crawler(cls, crawler: Crawler, uri: str, *, feed_options: dict[str, Any] | None = None) -> Self:
        """Build it for a crawl, whose ledger it tells."""
        storage = cls(uri, feed_options=feed_options)
        storage._ledger = house_of(crawler).ledger(crawler)
        return storage

    def open(self, spider: Spider) -> IO[bytes]:  # noqa: ARG002 - the signature is Scrapy's
        """Open the file, or in its place the null device: the error comes when the feed is stored."""
        self._ledger.broken_feeds[self.path] = "it was not written to its end"
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._file = _File(self.path, self.write_mode)
        except OSError as error:
            self._file = _File(os.devnull, "wb")
            self._file.error = error
        return io.BufferedWriter(self._file)

    def store(self, file: IO[bytes]) -> None:
        """Write what is left and close the file; raises the first :class:`OSError` met on the way."""
        try:
            file.close()
            if self._file.error is not None:
                raise self._file.error
        except OSError as error:
            self._ledger.broken_feeds[self.path] = error.strerror or str(error)
            raise
        self._ledger.broken_feeds.pop(self.path, None)


def check_feeds(settings: BaseSettings) -> None:
    """Look whether the feeds of a crawl can be written, leaving no trace.

    Raises :class:`ConfigurationError` for a file that cannot be, :class:`UsageError` for a kind of place nobody knows.
    """
    for uri in map(str, settings.getdict("FEEDS")):
        scheme, known = urlparse(uri).scheme, settings.getwithbase("FEED_STORAGES")
        if scheme in LOCAL:
            _check_file(FileFeedStorage(uri).path)
        elif scheme not in known:
            raise UsageError(f"the feed {uri} cannot be stored at {scheme}:; there are: {', '.join(filter(None, sorted(known)))}")


def broken_feeds(crawler: Crawler) -> Mapping[str, str]:
    """Return every feed of an ended crawl that is not whole, with the reason."""
    broken = dict(house_of(crawler).ledger(crawler).broken_feeds)
    # Scrapy's answer where the crawl never came to its extensions or statistics.
    with suppress(RuntimeError):
        broken |= dict.fromkeys(_not_stored(crawler), "Scrapy could not store it, and the log says why")
        broken |= dict.fromkeys(_incomplete(crawler), "not every item could be written, and the log says why")
    return broken


def _not_stored(crawler: Crawler) -> Iterator[str]:
    """Yield what Scrapy itself could not store: a feed whose storage is not usable, or one that is not a file."""
    if crawler.get_extension(FeedExporter) is None:
        yield from map(str, crawler.settings.getdict("FEEDS"))
    for name in crawler.stats.get_stats():
        if name.startswith(_FAILED) and name != _FAILED + FeedFile.__name__:
            yield f"of {name.removeprefix(_FAILED)}"


def _incomplete(crawler: Crawler) -> Iterator[str]:
    """Yield the feeds whose format did not take every item; those that choose items, or begin new files, are not counted."""
    exporter = crawler.get_extension(FeedExporter)
    scraped = crawler.stats.get_value("item_scraped_count", 0)
    for slot in exporter.slots if exporter is not None else ():
        takes_all = type(slot.filter) is ItemFilter and not slot.filter.item_classes and not slot.feed_options["batch_item_count"]
        if takes_all and slot.itemcount < scraped:
            yield slot.uri


def _check_file(path: str) -> None:
    try:
        _try(path)
    except OSError as error:
        raise ConfigurationError(
            f"the feed {path} cannot be written: {error.strerror or error}; name a file that can be with -O or -o"
        ) from None


def _try(path: str) -> None:
    """Raise the :class:`OSError` that writing this file would end with, as far as that can be known beforehand."""
    fixed, varies, _ = path.partition("%(")
    file = Path(f"{fixed}feed" if varies else fixed)
    if not varies and file.exists():
        if file.is_dir():
            raise IsADirectoryError("it is a folder")
        if not os.access(file, os.W_OK):
            raise PermissionError("permission denied")
        return
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    with tempfile.TemporaryFile(dir=folder):
        pass
