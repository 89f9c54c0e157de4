"""A challenge or block page is told from a page that merely speaks of one, before anybody parses it."""

from __future__ import annotations

import pytest

from cinegraph_core import Answer, BlockedError
from cinegraph_festivals import imdb, venice

URLS = {
    "imdb": "https://www.imdb.com/event/ev0000681/2024/1/",
    "venice": "https://www.labiennale.org/en/cinema/2024/orizzonti",
}
GOOD = {
    "imdb": b'<html><script id="__NEXT_DATA__" type="application/json">{}</script></html>',
    "venice": b"<html><head><title>Biennale Cinema 2024 | Orizzonti</title></head></html>",
}
JUDGES = {spec.name: spec.judge for spec in (*imdb.service(), *venice.service()) if spec.kind == "site"}


def answer(status: int, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body, url="https://x.org/")


def judged(site: str, given: Answer) -> BlockedError | None:
    judge = JUDGES[site]
    assert judge is not None
    found = judge(Answer(given.status, given.headers, given.body, URLS[site]))
    assert found is None or isinstance(found, BlockedError)
    return found


@pytest.mark.parametrize("site", sorted(URLS))
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
        pytest.param(answer(403, b"<title>Just a moment...</title>", cf_mitigated="challenge"), id="Cloudflare's header"),
        pytest.param(answer(503, b"<script>window._cf_chl_opt={};</script>"), id="Cloudflare's page"),
    ],
)
def test_lesson_16_a_challenge_or_shell_is_blocked(site: str, blocked: Answer) -> None:
    error = judged(site, blocked)
    assert error is not None
    assert error.error_type == "blocked"
    assert (error.service, error.url, error.status) == (site, URLS[site], blocked.status)
    assert "browser" in str(error)


@pytest.mark.parametrize("site", sorted(URLS))
@pytest.mark.parametrize(
    ("status", "more"),
    [
        pytest.param(200, b"", id="a good page"),
        pytest.param(200, b"<p>captcha, awswaf, access denied</p>", id="the word captcha"),
        pytest.param(200, b"<script>window.gokuProps</script>", id="a marker"),
        pytest.param(202, b"", id="202"),
    ],
)
def test_a_page_with_a_readable_payload_is_never_blocked(site: str, status: int, more: bytes) -> None:
    assert judged(site, answer(status, GOOD[site] + more)) is None


def test_a_line_up_is_readable_by_its_cards_alone() -> None:
    assert judged("venice", answer(200, b'<article class="node node-film"></article><i>challenge-container</i>')) is None


@pytest.mark.parametrize("site", sorted(URLS))
@pytest.mark.parametrize(
    "other",
    [
        pytest.param(answer(200, b'<script src="https://x.token.awswaf.com/challenge.js"></script>'), id="the WAF's script"),
        pytest.param(answer(200, b"<title>Maintenance</title><p>captcha</p>"), id="another page"),
        pytest.param(answer(404, b"<title>404</title>"), id="404"),
        pytest.param(answer(503, b""), id="503"),
    ],
)
def test_what_is_not_a_challenge_is_left_to_others(site: str, other: Answer) -> None:
    assert judged(site, other) is None
