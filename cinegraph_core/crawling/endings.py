"""What a request of a crawl ends with: a receipt beside its answer, or an error in the words its spider knows.

A call that the spider began itself ends with an error of ours. Of any other request the project's own middlewares hear
Scrapy's exception, and may yet answer in its place; what nobody answered becomes an error of ours that is Scrapy's as well.
"""

from __future__ import annotations

from contextlib import suppress

from scrapy.http import Request, Response

from cinegraph_core.crawling.answers import error_of
from cinegraph_core.crawling.services import CALL
from cinegraph_core.crawling.tickets import RECEIPT, Ticket
from cinegraph_core.services.judging import CallError
from cinegraph_core.services.twins import also, take_after
from cinegraph_core.services.verdicts import Done

_FINAL = "_cinegraph_final"


def write_receipt(request: Request, response: Response, ticket: Ticket, done: Done, now: float) -> None:
    """Write down what the call made of an answer; ``now`` is the wall clock."""
    is_own = CALL in request.meta
    request.meta[RECEIPT] = ticket.receipt(done.answer, done.value if is_own else None, now)
    if is_own:
        # Scrapy's HttpError must not refuse what the door calls a proper answer.
        request.meta["handle_httpstatus_list"] = [response.status]


def error_for(request: Request, exception: Exception, service: str, url: str) -> CallError:
    """Return what befell a request as an error of ours, which is Scrapy's as well where the spider knows only those."""
    error = error_of(exception, request, service, url)
    if CALL not in request.meta and error is not exception:
        with suppress(TypeError):  # some classes cannot be combined with ours
            error = also(error, type(exception))
            take_after(error, exception)
    return error


def leave(error: CallError, request: Request, exception: Exception) -> None:
    """Note which error the request ends with unless somebody answers in its place; raises it where nobody is to."""
    if CALL in request.meta:
        raise error
    exception.__dict__[_FINAL] = error


def final_error(exception: Exception) -> CallError | None:
    """Return the error that was noted."""
    final: CallError | None = exception.__dict__.pop(_FINAL, None)
    return final
