"""What an answer means: the service's own judge, then the HTTP status, then the reader of the call. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.errors import (
    ClientError,
    InvalidResponseError,
    NoDataError,
    NotFoundError,
    PageError,
    ParseError,
    RateLimitError,
    ServerError,
    ServiceError,
    UnknownError,
    classify,
    from_status,
)
from cinegraph_core.resilience.retry import parse_retry_after
from cinegraph_core.services.addresses import shown

CallError = ServiceError | PageError
ABSENT = (404, 410)


class Ruling(msgspec.Struct, frozen=True):
    """An answer judged: its value or the error in it; ``absent`` if it properly says that there is no such thing.

    ``own``: the error is one to this caller; another may judge the answer otherwise.
    """

    value: Any = None
    error: CallError | None = None
    absent: bool = False
    own: bool = False


def rule(call: Call, spec: ServiceSpec, answer: Answer, now: float) -> Ruling:
    """Judge an answer; raises nothing that a judge or reader throws (``now``: wall clock, for ``Retry-After`` dates).

    :attr:`ServiceSpec.judge` sees every answer first, because some services say different things with one status.
    """
    error = _objection(spec, answer)
    if error is not None:
        return Ruling(error=_completed(error, call, answer, now), absent=isinstance(error, NotFoundError))
    if answer.status in ABSENT and call.absent_ok:
        return Ruling(absent=True)
    refusal = from_status(answer.status, service=call.service, url=answer.url)
    if refusal is not None:
        return Ruling(error=_completed(refusal, call, answer, now), own=answer.status in ABSENT)
    if call.read is None:
        return Ruling(answer)
    if answer.status >= 300:
        where = shown(answer.headers["location"]) if "location" in answer.headers else "nowhere"
        error = ClientError(f"an unexpected redirect to {where}", service=call.service, url=answer.url)
        return Ruling(error=error, own=True)
    return _read(call, answer, now)


def _objection(spec: ServiceSpec, answer: Answer) -> ServiceError | None:
    if spec.judge is None:
        return None
    try:
        return spec.judge(answer)
    except ServiceError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a judge that breaks must not let the answer through
        broken = UnknownError(f"the judge of {spec.name} broke on the answer: {type(error).__name__}: {error}")
        broken.__cause__ = error
        return broken


def _read(call: Call, answer: Answer, now: float) -> Ruling:
    try:
        return Ruling(call.read(answer) if call.read else answer)
    except (ServiceError, PageError) as error:
        absent = isinstance(error, NotFoundError | NoDataError)
        return Ruling(error=_completed(error, call, answer, now), absent=absent, own=True)
    except Exception as error:  # noqa: BLE001 - a reader that breaks must not count as an answer read
        ours = classify(error, service=call.service, url=answer.url)
        if isinstance(ours, InvalidResponseError):
            return Ruling(error=ours, own=True)
        broken = ParseError(f"reading the answer failed: {type(error).__name__}: {error}", url=answer.url)
        broken.__cause__ = error
        return Ruling(error=broken, own=True)


def _completed(error: CallError, call: Call, answer: Answer, now: float) -> CallError:
    error.url = error.url or answer.url
    if isinstance(error, ServiceError):
        error.service = error.service or call.service
        error.status = error.status or answer.status
        if error.retry_after is None and isinstance(error, RateLimitError | ServerError):
            error.retry_after = parse_retry_after(answer.headers.get("retry-after"), now)
    return error
