"""What ``missing=true`` leaves to fetch: editions that are not stored, and the pages that one stored in part still lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from cinegraph_core.application import Application
from cinegraph_core.contracts import EditionPlan, PageRequest
from cinegraph_core.storage.editions import page_outcomes, stored_years
from cinegraph_core.storage.pages import ANSWERED


@dataclass(frozen=True, slots=True)
class Errand:
    """An edition to fetch; ``is_rest`` tells that the plan holds only the pages it lacks, as others have spoken before."""

    plan: EditionPlan
    is_rest: bool = False


async def what_is_missing(plans: Sequence[EditionPlan], application: Application) -> list[Errand]:
    """Return what to fetch so that each edition is stored whole; raises whatever the database raises."""
    stored = {
        (festival, instance): await application.database.run(partial(stored_years, festival=festival, instance=instance))
        for festival, instance in {(plan.festival, plan.instance) for plan in plans}
    }
    lacking = [plan for plan in plans if plan.year not in stored[plan.festival, plan.instance]]
    return [await _rest_of(plan, application) for plan in lacking]


async def _rest_of(plan: EditionPlan, application: Application) -> Errand:
    """Return the planned pages without a last word; all of them where nothing is stored, or a page is only found from another."""
    outcomes = await application.database.run(page_outcomes, plan.festival, plan.year, plan.instance)
    answered = {key for key, outcome in outcomes.items() if outcome in ANSWERED}
    pages = {_key(page, application): page for page in plan.pages if page.service in application.services.names()}
    rest = tuple(page for key, page in pages.items() if key not in answered)
    spoken = any(outcome == "ok" for outcome in outcomes.values())
    if not rest or not spoken or not outcomes.keys() - answered <= pages.keys():
        return Errand(plan)
    return Errand(replace(plan, pages=rest), is_rest=True)


def _key(page: PageRequest, application: Application) -> tuple[str, str]:
    """Return under which source and public address the outcome of a page is kept."""
    services = application.services
    return page.statement, services.public(page.service, services.join(page.service, page.path))
