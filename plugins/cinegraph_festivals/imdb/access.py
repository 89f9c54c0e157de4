"""How IMDb says no: an AWS WAF challenge or a block page instead of the page that was asked for."""

from __future__ import annotations

import re

from cinegraph_core import Answer, BlockedError

# Of the challenge page only: good pages may load the same script from awswaf.com, and the word "captcha" proves nothing.
_CHALLENGE = re.compile(rb"gokuProps|awsWafCookieDomainList|challenge-container")
_SHELL = re.compile(rb"<title>\s*403 Forbidden\s*</title>", re.IGNORECASE)
_PAYLOAD = re.compile(rb"__NEXT_DATA__|IMDbReactWidgets")
_REMEDY = "wait, lower the rate, or fetch the page with a browser"


def judge(answer: Answer) -> BlockedError | None:
    """Return :class:`BlockedError` for a challenge or block page, ``None`` for anything else.

    Signs: the header ``x-amzn-waf-action``; status 202, 403 or 405, the markers of the challenge page or a bare
    "403 Forbidden" page where the body holds no data of IMDb's.
    """
    reason = _reason(answer)
    if reason is None:
        return None
    return BlockedError(f"IMDb answered with {reason}; {_REMEDY}", service="imdb", url=answer.url, status=answer.status)


def _reason(answer: Answer) -> str | None:
    if action := answer.headers.get("x-amzn-waf-action"):
        return f"the WAF action {action!r}"
    if _PAYLOAD.search(answer.body):
        return None
    if match := _CHALLENGE.search(answer.body):
        return f"a challenge page ({match[0].decode()})"
    if answer.status == 202:
        return "HTTP 202 and no page (a challenge)"
    if answer.status in (403, 405) or _SHELL.search(answer.body):
        return "a page that says 403 Forbidden"
    return None
