"""The pages of one edition on their way, and the edition they become when the last has answered or failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cinegraph_core.contracts import EditionPlan, PageRequest, PageResult
from cinegraph_core.crawling.robots import RobotsForbiddenError, RobotsUnreachableError
from cinegraph_core.errors import AuthError, BlockedError, LayoutChangedError, NoDataError, NotFoundError, ProvenanceError
from cinegraph_core.records import Edition, Page, PageOutcome
from cinegraph_core.services.rules import moment

_OUTCOMES: dict[PageOutcome, tuple[type[Exception], ...]] = {
    "no_data": (NoDataError,),
    "blocked": (BlockedError, AuthError),
    "layout_changed": (LayoutChangedError,),
}

_MOVED = "their addresses may have changed"


@dataclass
class _Asked:
    """One page: what was asked, and what became of it."""

    request: PageRequest
    page: Page | None = None
    result: PageResult = field(default_factory=PageResult)


class Gathering:
    """Collects the pages of an edition in the order in which they were asked for, whatever order they come in.

    ``this_year`` (a calendar year) tells an edition that is still to come from one whose pages should be there. With
    ``is_rest`` the pages are those that the stored edition lacks: then others of it have spoken.
    """

    def __init__(self, plan: EditionPlan, *, this_year: int, is_rest: bool = False) -> None:
        self.plan = plan
        self._this_year = this_year
        self._is_rest = is_rest
        self._asked: list[_Asked] = []
        self._known: set[tuple[str, str]] = set()

    def ask(self, requests: Iterable[PageRequest]) -> list[tuple[int, PageRequest]]:
        """Return the pages not asked for before, each with its ticket for :meth:`answered` and :meth:`failed`.

        From now on all of them are waited for, however late their requests leave.
        """
        new = []
        for request in requests:
            if (request.service, request.path) not in self._known:
                self._known.add((request.service, request.path))
                self._asked.append(_Asked(request))
                new.append((len(self._asked) - 1, request))
        return new

    def answered(self, ticket: int, url: str, result: PageResult) -> None:
        """Take what a page said; ``url`` is the public one. A page that was cut short leaves the edition partial."""
        asked = self._asked[ticket]
        asked.result = result
        outcome: PageOutcome = "error" if result.truncated else "ok"
        asked.page = Page(asked.request.statement, url, outcome, result.truncated, nominations=len(result.nominations))

    def failed(self, ticket: int, url: str, error: BaseException) -> None:
        """Take why a page has nothing to say."""
        asked = self._asked[ticket]
        outcome, detail = outcome_of(error, required=asked.request.required)
        asked.page = Page(asked.request.statement, url, outcome, detail)

    @property
    def whole(self) -> bool:
        """Whether every page has answered or failed."""
        return all(asked.page is not None for asked in self._asked)

    @property
    def vanished(self) -> bool:
        """Whether none of several pages of a past edition exists: then their addresses may have changed.

        A single page that need not exist and does not is the source's word that there was no edition.
        """
        outcomes = {asked.page.outcome for asked in self._asked if asked.page is not None}
        alone = len(self._asked) > 1 and not self._is_rest
        return alone and outcomes == {"absent"} and self.plan.year < self._this_year

    @property
    def is_empty(self) -> bool:
        """Whether every page of the edition said that there is nothing, or is one that need not exist and does not."""
        return not self._is_rest and is_empty(self.edition())

    def edition(self) -> Edition:
        """Return the edition with the pages that came."""
        results = [asked.result for asked in self._asked]
        return Edition(
            festival=self.plan.festival,
            year=self.plan.year,
            number=next((result.number for result in results if result.number is not None), None),
            instance=next((result.instance for result in results if result.instance is not None), self.plan.instance),
            name=next((result.name for result in results if result.name is not None), None),
            nominations=tuple(nomination for result in results for nomination in result.nominations),
            pages=tuple(self._judged(asked.page) for asked in self._asked if asked.page is not None),
        )

    def _judged(self, page: Page) -> Page:
        if not self.vanished:
            return page
        return replace(page, outcome="error", detail=f"{page.detail}, like every page of the edition; {_MOVED}")


def outcome_of(error: BaseException, *, required: bool) -> tuple[PageOutcome, str]:
    """Return the outcome an error is for its page, and the words that say why."""
    detail = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, RobotsForbiddenError):
        return "blocked", "robots.txt forbids it"
    if isinstance(error, NotFoundError) and not required:
        return "absent", detail
    if isinstance(error, ProvenanceError):
        return "error", detail
    for outcome, kinds in _OUTCOMES.items():
        if isinstance(error, kinds):
            return outcome, detail
    cause = error.error if isinstance(error, RobotsUnreachableError) else error
    detail = f"{getattr(cause, 'error_type', 'unknown')}: {detail}"
    parked_until = getattr(cause, "parked_until", None)
    if parked_until is None:
        return "error", detail
    until = moment(parked_until)
    return "parked", detail if until in detail else f"{detail}; parked until {until}"


def is_empty(edition: Edition) -> bool:
    """Return whether every page said that there is nothing, or is one that need not exist and does not."""
    return not edition.nominations and all(page.outcome in ("no_data", "absent") for page in edition.pages)
