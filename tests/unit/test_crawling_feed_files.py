"""Feeds that cannot be written are found before the crawl, without leaving a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy.settings import Settings

from cinegraph_core.crawling.feed_files import check_feeds
from cinegraph_core.errors import ConfigurationError, UsageError


@pytest.mark.parametrize("name", ["new.jsonl", "a/b/new.jsonl", "old.jsonl", "%(name)s/new.jsonl", "taken/%(time)s.jsonl"])
def test_a_feed_that_can_be_written_passes_and_nothing_is_left_behind(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "old.jsonl").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    check_feeds(Settings({"FEEDS": {str(tmp_path / name): {"format": "jsonl"}, tmp_path / "second.csv": {"format": "csv"}}}))
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "old.jsonl").read_text() == "kept"


@pytest.mark.parametrize("name", ["file/new.jsonl", "file/a/b.jsonl", "folder", "file/%(time)s.jsonl", "x" * 300])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_feed_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path, name: str, scheme: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    feeds = {"stdout:": {"format": "jsonl"}, f"{scheme}{tmp_path / name}": {"format": "jsonl"}}
    with pytest.raises(ConfigurationError, match=r"the feed .* cannot be written: .*name a file .* -O"):
        check_feeds(Settings({"FEEDS": feeds}))


def test_a_kind_of_place_nobody_knows_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"foo://x/o\.jsonl .*there are: file, ftp, .*stdout"):
        check_feeds(Settings({"FEEDS": {"foo://x/o.jsonl": {"format": "jsonl"}}}))
