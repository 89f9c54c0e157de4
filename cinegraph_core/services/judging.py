"""What an answer means: the service's own judge, then the HTTP status, then the reader of the call. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from cinegraph_core.contracts import Answer, Call, ServiceSpec
from cinegraph_core.errors import (
    BlockedError,
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
_OK = 200
_CHALLENGES = ("x-amzn-waf-action", "cf-mitigated")
"""Headers of challenges by AWS WAF and Cloudflare ("Detect a challenge page response", developers.cloudflare.com)."""


class Ruling(msgspec.Struct, frozen=True):
    """An answer judged: its value or the error in it; ``absent`` if it properly says that there is no such thing.

    ``found`` is ``False`` where it is absent, and where the reader made something empty of it, such as a search's hits.
    ``own``: the error is one to this caller; another may judge the answer otherwise.
    """

    value: Any = None
    error: CallError | None = None
    absent: bool = False
    found: bool = True
    own: bool = False


def rule(call: Call, spec: ServiceSpec, answer: Answer, now: float) -> Ruling:
    """Judge an answer; raises nothing that a judge or reader throws (``now``: wall clock, for ``Retry-After`` dates).

    :attr:`ServiceSpec.judge` sees every answer first, because some services say different things with one status.
    """
    is_plain = answer.status == _OK  # most answers are
    error = None if is_plain and spec.judge is None else _objection(spec, answer)
    if error is not None:
        return Ruling(error=_completed(error, call, answer, now), absent=isinstance(error, NotFoundError))
    if not is_plain:
        if answer.status in ABSENT and call.absent_ok:
            return Ruling(absent=True, found=False)
        refusal = from_status(answer.status, service=call.service, url=answer.url)
        if refusal is not None:
            return Ruling(error=_completed(refusal, call, answer, now), own=answer.status in ABSENT)
    if call.read is None:
        is_unjudged = spec.judge is None and spec.kind == "api"
        return _as_it_says(call, answer) if is_unjudged and "content-type" in answer.headers else Ruling(answer)
    if answer.status >= 300:
        where = shown(answer.headers["location"]) if "location" in answer.headers else "nowhere"
        error = ClientError(f"an unexpected redirect to {where}", service=call.service, url=answer.url)
        return Ruling(error=error, own=True)
    return _read(call, answer, now)


def may_have_left(error: CallError) -> bool:
    """Tell whether the request that ended so can have reached the service."""
    return error.sent if isinstance(error, ServiceError) else True


def _as_it_says(call: Call, answer: Answer) -> Ruling:
    """Judge what nobody else reads here: whether a body that says it is JSON is JSON."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_whole = 200 <= answer.status < 300 and answer.status != HTTPStatus.PARTIAL_CONTENT
    if not (is_whole and answer.body and (kind == "application/json" or kind.endswith("+json"))):
        return Ruling(answer)
    try:
        msgspec.json.decode(answer.body, type=msgspec.Raw)  # looks at the body and makes nothing of it
    except msgspec.DecodeError:
        try:
            answer.json()  # knows a byte order mark, UTF-16 and NaN
        except ValueError as error:
            broken = classify(error, service=call.service, url=answer.url)
            return Ruling(error=_completed(broken, call, answer, 0.0), own=True)
    return Ruling(answer)


def _objection(spec: ServiceSpec, answer: Answer) -> ServiceError | None:
    if answer.status != _OK:
        for header in _CHALLENGES:
            if header in answer.headers:
                return BlockedError(f"{spec.name} answered with a challenge ({header}: {answer.headers[header]})")
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
        value = call.read(answer) if call.read else answer
        return Ruling(value, found=bool(value))
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
