"""Between Scrapy's responses and the door's answers."""

from __future__ import annotations

from scrapy.http import Headers, Request, Response
from scrapy.responsetypes import responsetypes

from cinegraph_core.contracts import Answer
from cinegraph_core.records import Provenance


def answer_of(response: Response, url: str, mark: Provenance | None) -> Answer:
    """Return a response as an answer; ``url`` is its public address, ``mark`` what it says of itself."""
    headers = {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in response.headers.items()}
    return Answer(response.status, headers, response.body, url, mark)


def response_of(answer: Answer, request: Request) -> Response:
    """Return a kept answer as the response of a request."""
    headers = Headers(dict(answer.headers))
    kind = responsetypes.from_args(headers=headers, url=request.url, body=answer.body)
    return kind(request.url, status=answer.status, headers=headers, body=answer.body, flags=["cached"], request=request)


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers of a request by lower-case name."""
    return {name.decode("latin-1").lower(): str(request.headers[name] or b"", "latin-1") for name in request.headers}


def is_redirect(response: Response) -> bool:
    """Tell whether an answer leads elsewhere."""
    return response.status in (301, 302, 303, 307, 308) and "Location" in response.headers
