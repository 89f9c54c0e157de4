"""Real captures wrapped in the pages they were taken from, for tests that run beside ``../shared``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinegraph_core import Answer, PageInput, PageRequest

EVENTS = {"venice": "ev0000681", "cannes": "ev0000147", "academy": "ev0000003"}
"""IMDb's event id by the name in a capture's file name."""

FETCHED_AT = 1_767_323_045.0  # 2026-01-02T03:04:05Z
VENICE_PAGES = {
    "en/cinema/2026/venezia-83-competition": ("lineup", "gavrevnik_2026-10/venice-selection.html"),
    "en/news/official-awards-83rd-venice-international-film-festival": ("awards", "runscars_2026-09/venice-news-awards.html"),
}


@dataclass(frozen=True, slots=True)
class EventCapture:
    """One captured event page of the layout until 2023."""

    event: str
    year: int
    text: str

    @property
    def nominations(self) -> Iterator[Mapping[str, Any]]:
        """Every nomination of the capture, as its JSON has it."""
        for award in json.loads(self.text)["nomineesWidgetModel"]["eventEditionSummary"]["awards"]:
            for category in award["categories"]:
                yield from category["nominations"]


def event_captures(shared: Path) -> list[EventCapture]:
    """Return the captured events, by file name."""
    found = []
    for file in sorted((shared / "data/imdb_pages/event_json_oldlayout").glob("imdb_*.json")):
        _, festival, year = file.stem.split("_")
        found.append(EventCapture(EVENTS[festival], int(year), file.read_text(encoding="utf-8")))
    return found


def rewrapped_2022(shared: Path) -> str:
    """Return the page in the layout since 2024 (Venice 2022)."""
    return (shared / "data/imdb_pages/event_nextdata_synthesised/imdb_venice_2022.html").read_text(encoding="utf-8")


def challenge_page(shared: Path) -> bytes:
    """Return the body IMDb sends with HTTP 202."""
    return (shared / "data/imdb_pages/waf/aws_waf_challenge_202.html").read_bytes()


def venice_excerpt(shared: Path, name: str) -> str:
    """Return an excerpt of La Biennale's pages."""
    return (shared / "data/festival_pages" / name).read_text(encoding="utf-8")


def old_layout_page(json_text: str) -> str:
    """Return event data in the page it stood in until 2023."""
    return _html(
        "Event - IMDb",
        f"<div id='center-3-react'></div><script>IMDbReactWidgets.NomineesWidget.push(['center-3-react',{json_text}]);</script>",
    )


def venice_lineup_page(excerpt: str, year: int) -> str:
    """Return film cards in a line-up page of that year."""
    return _html(f"Biennale Cinema {year} | Venezia {year - 1943} Competition", f"<main>{excerpt}</main>")


def venice_awards_page(excerpt: str, year: int) -> str:
    """Return award paragraphs in the news page of that year."""
    return _html(f"Biennale Cinema {year} | Official awards", f"<main><article>{excerpt}</article></main>")


def pages_tree(shared: Path, folder: Path) -> Path:
    """Write every capture as a file named like its path (``imdb/event/ev0000681/2019/1.html``) and return the folder."""
    for capture in event_captures(shared):
        _write(folder / f"imdb/event/{capture.event}/{capture.year}/1.html", old_layout_page(capture.text))
    _write(folder / "imdb/event/ev0000681/2022/1.html", rewrapped_2022(shared))
    for path, (kind, name) in VENICE_PAGES.items():
        wrap = venice_lineup_page if kind == "lineup" else venice_awards_page
        _write(folder / f"venice/{path}.html", wrap(venice_excerpt(shared, name), 2026))
    return folder


def page_input(
    request: PageRequest,
    body: str | bytes,
    *,
    url: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> PageInput:
    """Return a fetched page as a source's ``read`` gets it, at its public address."""
    base = {"venice": "https://www.labiennale.org"}.get(request.service, "https://www.imdb.com")
    content = body.encode() if isinstance(body, str) else body
    sent = {"content-type": "text/html; charset=utf-8", **(headers or {})}
    answer = Answer(status=status, headers=sent, body=content, url=url or base + request.path)
    return PageInput(request=request, answer=answer, fetched_at=FETCHED_AT, provenance="live")


def _html(title: str, body: str) -> str:
    return f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title}</title></head><body>{body}</body></html>"


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
