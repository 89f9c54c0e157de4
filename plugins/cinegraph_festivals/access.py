"""How festival sites say no: a challenge or block page in place of the page that was asked for.

Signs of AWS WAF: the header ``x-amzn-waf-action``, status 202, the names its challenge page declares. Of Cloudflare: the header
``cf-mitigated`` (developers.cloudflare.com, "Detect a challenge page response") and the names its page declares. Good pages may
load the same scripts, and the word "captcha" proves nothing; so a page that holds what its reader reads is never blocked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cinegraph_core import Answer, BlockedError

_HEADERS = ("x-amzn-waf-action", "cf-mitigated")
_CHALLENGE = re.compile(rb"gokuProps|awsWafCookieDomainList|challenge-container|_cf_chl_opt")
_SHELL = re.compile(rb"<title>\s*403 Forbidden\s*</title>", re.IGNORECASE)
_REMEDY = "wait, lower the rate, or fetch the page with a browser"


def judge_of(service: str, site: str, payload: re.Pattern[bytes]) -> Callable[[Answer], BlockedError | None]:
    """Return the judge of one site; ``payload`` is what stands on each of its readable pages and on no challenge."""

    def judge(answer: Answer) -> BlockedError | None:
        """Return :class:`BlockedError` for a challenge or block page, ``None`` for anything else."""
        reason = None if payload.search(answer.body) else _reason(answer)
        if reason is None:
            return None
        return BlockedError(f"{site} answered with {reason}; {_REMEDY}", service=service, url=answer.url, status=answer.status)

    return judge


def _reason(answer: Answer) -> str | None:
    for header in _HEADERS:
        if action := answer.headers.get(header):
            return f"a challenge ({header}: {action})"
    if match := _CHALLENGE.search(answer.body):
        return f"a challenge page ({match[0].decode()})"
    if answer.status == 202:
        return "HTTP 202 and no page (a challenge)"
    if answer.status in (403, 405) or _SHELL.search(answer.body):
        return "a page that says 403 Forbidden"
    return None
