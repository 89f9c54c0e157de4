"""OMDb says what went wrong in the body; HTTP's status does not tell."""

from __future__ import annotations

import json

import pytest

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import (
    AuthError,
    ClientError,
    InvalidResponseError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from cinegraph_omdb import judge, service


def answer(body: object, status: int = 200) -> Answer:
    content = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, {"content-type": "application/json"}, content.encode(), "https://www.omdbapi.com/?i=tt0000001")


def refusal(text: str) -> dict[str, str]:
    return {"Response": "False", "Error": text}


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("Request limit reached!", 401, RateLimitError),
        ("Invalid API key!", 401, AuthError),
        ("Movie not found!", 200, NotFoundError),
        ("Incorrect IMDb ID.", 200, NotFoundError),
        ("Series not found!", 200, NotFoundError),
        ("Too many results.", 200, ClientError),
        ("Error getting data.", 200, ServerError),
        ("Something nobody has seen.", 200, ClientError),
    ],
)
def test_lesson_29_only_the_text_tells_the_errors_apart(text: str, status: int, expected: type[ServiceError]) -> None:
    error = judge(answer(refusal(text), status))
    assert type(error) is expected
    assert text in str(error)


@pytest.mark.parametrize("status", [200, 401])
def test_lesson_29_the_limit_is_that_of_the_day_and_says_so(status: int) -> None:
    error = judge(answer(refusal("Request limit reached!"), status))
    assert isinstance(error, RateLimitError)
    assert error.spent == "day"


def test_a_film_is_no_error() -> None:
    assert judge(answer({"Response": "True", "Title": "Ariel", "Year": "1988"})) is None


@pytest.mark.parametrize("body", ["<html>down for maintenance</html>", "[]", '{"Title": "Ariel"', "{}"])
@pytest.mark.parametrize("status", [200, 404])
def test_a_body_that_is_not_omdbs_is_never_not_found(body: str, status: int) -> None:
    assert isinstance(judge(answer(body, status)), InvalidResponseError)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_plain_http_error_is_left_to_its_status(status: int) -> None:
    assert judge(answer("<html>", status)) is None


def test_the_key_goes_into_the_query() -> None:
    (spec,) = service()
    assert spec.authenticate is not None
    assert spec.authenticate("abc").params == {"apikey": "abc"}
    assert spec.needs_key
