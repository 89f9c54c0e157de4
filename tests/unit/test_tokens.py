"""What tokens cost, and where the number of those used is found."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import AuthError, LayoutChangedError, ServerError, ServiceTimeoutError
from cinegraph_core.resilience.budget import Tariff, Tokens, price_of
from cinegraph_core.services.usage import tokens_used


def reply(body: bytes, status: int = 200) -> Answer:
    return Answer(status, {}, body, "https://llm.example/chat")


@pytest.mark.parametrize(
    ("tokens", "micro_dollars"),
    [
        (Tokens(), 7),
        (Tokens(input=1), 8),  # $0.15 a million is 0.15 µ$ a token, and no call costs a part of a micro-dollar
        (Tokens(input=20), 10),
        (Tokens(input=21), 11),
        (Tokens(output=1), 8),
        (Tokens(1_000_000, 1_000_000), 750_007),
    ],
)
def test_lesson_26_tokens_cost_whole_micro_dollars_rounded_up(tokens: Tokens, micro_dollars: int) -> None:
    tariff = Tariff(call=7, input=price_of(0.15), output=price_of(0.6))
    assert tariff.cost(tokens) == micro_dollars


def test_no_float_ever_adds_up_what_tokens_cost() -> None:
    tariff = Tariff(input=price_of(0.1))
    assert tariff.cost(Tokens(input=30_000_000_000_000_010)) == 3_000_000_000_000_001


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (reply(b'{"usage": {"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46}}'), Tokens(12, 34)),
        (reply(b'{"usage": {"input_tokens": 12, "output_tokens": 34}}'), Tokens(12, 34)),
        (reply(b'{"usage": {"prompt_tokens": 12, "total_tokens": 12}}'), Tokens(12, 0)),
        ({"usage": {"prompt_tokens": 1, "completion_tokens": 2}}, Tokens(1, 2)),
        (SimpleNamespace(usage=SimpleNamespace(input_tokens=1, output_tokens=2)), Tokens(1, 2)),
        (reply(b'{"choices": []}'), None),
        (reply(b"<html>"), None),
        (reply(b"[1, 2]"), None),
        (reply(b'{"usage": {"prompt_tokens": -1, "completion_tokens": true}}'), None),
        ({"usage": {"prompt_tokens": 10**9, "completion_tokens": None}}, Tokens(10**9, 0)),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 10**9 + 1}}, None),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": -1}}, None),
        ("a text", None),
        (None, None),
        (reply(b'{"error": {}}', 429), Tokens()),
        (reply(b'{"usage": {"prompt_tokens": 5}}', 500), Tokens(5, 0)),
        (AuthError("no", status=401), Tokens()),
        (ServerError("no", status=503), Tokens()),
        (ServiceTimeoutError("slow"), None),
        (LayoutChangedError("odd"), None),
    ],
)
def test_the_tokens_used_are_found_where_providers_write_them_and_a_refusal_took_none(outcome: Any, found: Tokens | None) -> None:
    assert tokens_used(outcome) == found


def test_a_reader_of_ones_own_is_asked_instead_and_one_that_breaks_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert tokens_used({"pages": 3}, lambda said: Tokens(output=said["pages"])) == Tokens(output=3)
    assert tokens_used(AuthError("no", status=401), lambda _: Tokens(9, 9)) == Tokens()
    assert not caplog.records
    assert tokens_used({}, lambda said: Tokens(output=said["pages"])) is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    "said",
    [Tokens(-1, 0), Tokens(0, -1), Tokens(500.0, 7), Tokens(5, None), Tokens(True, 0), Tokens(10**18), (5, 7), 12, {}],  # type: ignore[arg-type]
)
def test_lesson_26_a_reader_that_returns_what_cannot_be_paid_says_nothing(said: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert tokens_used({}, lambda _: said) is None
    assert tokens_used({}, lambda _: None) is None
    (record,) = caplog.records
    assert "the most it may take is counted" in record.message
    assert "in place of Tokens of whole numbers" in str(record.exc_info)
