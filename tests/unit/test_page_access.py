"""A challenge or block page is told from a page that merely speaks of one, before anybody parses it."""

from __future__ import annotations

import pytest

from cinegraph_core import Answer, BlockedError
from cinegraph_festivals.imdb.access import judge

URL = "https://www.imdb.com/event/ev0000681/2024/1/"
GOOD = b'<html><script id="__NEXT_DATA__" type="application/json">{}</script></html>'


def answer(status: int, body: bytes, **headers: str) -> Answer:
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body, url=URL)


@pytest.mark.parametrize(
    "blocked",
    [
        pytest.param(answer(202, b""), id="202 and an empty body"),
        pytest.param(answer(202, b"", x_amzn_waf_action="challenge"), id="202 and the header"),
        pytest.param(answer(200, b"<script>window.gokuProps = {};</script>"), id="gokuProps"),
        pytest.param(answer(200, b"<script>window.awsWafCookieDomainList = [];</script>"), id="cookie list"),
        pytest.param(answer(200, b'<div id="challenge-container"></div>'), id="container"),
        pytest.param(answer(200, b"<html><head><title>403 Forbidden</title></head></html>"), id="403 shell"),
        pytest.param(answer(403, b"nothing"), id="403"),
        pytest.param(answer(405, b"", x_amzn_waf_action="captcha"), id="405 captcha"),
    ],
)
def test_lesson_16_a_challenge_or_shell_is_blocked(blocked: Answer) -> None:
    error = judge(blocked)
    assert isinstance(error, BlockedError)
    assert error.error_type == "blocked"
    assert (error.service, error.url, error.status) == ("imdb", URL, blocked.status)
    assert "browser" in str(error)


@pytest.mark.parametrize(
    "fine",
    [
        pytest.param(answer(200, GOOD), id="a good page"),
        pytest.param(answer(200, GOOD + b"<p>captcha, awswaf, access denied</p>"), id="the word captcha"),
        pytest.param(answer(200, b'<script src="https://x.token.awswaf.com/challenge.js"></script>'), id="the WAF's script"),
        pytest.param(answer(200, GOOD + b"<script>window.gokuProps</script>"), id="a readable page with a marker"),
        pytest.param(answer(404, b"<title>404 - IMDb</title>"), id="404"),
        pytest.param(answer(503, b""), id="503"),
    ],
)
def test_what_is_not_a_challenge_is_left_to_others(fine: Answer) -> None:
    assert judge(fine) is None
