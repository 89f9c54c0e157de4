"""Budgets where tokens cost money: the most a call may take is reserved, what it took is paid, the rest is free again."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from itertools import islice
from typing import Any

import pytest

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import BudgetExceededError, NetworkError, RateLimitError, ServiceError, ServiceTimeoutError
from cinegraph_core.resilience.budget import Tokens
from cinegraph_core.services import guarded
from tests.support.door import NAME
from tests.support.fault_server import FaultServer, answer
from tests.support.token_desk import HALF, NOW, PRICES, SPEC, opened, usage
from tests.support.waiting import within


def test_lesson_26_what_a_call_did_not_take_of_its_reservation_is_free_for_the_next(database_url: str) -> None:
    with opened(database_url) as desk:
        ask = desk.function()
        # Each is let in if the most it may cost fits: nineteen at $0.05, for the twentieth $0.05 are left.
        for _ in range(19):
            assert ask() == HALF
        with pytest.raises(BudgetExceededError) as refused:
            ask()
        assert refused.value.parked_until == NOW + 6400.0
        assert desk.spends(950_000)
    row = desk.rows.all[0]
    assert row.metadata == {"input_tokens": 500, "output_tokens": 900, "cost_micro_usd": 50_000}
    assert desk.rows.brief[-1] == (False, "budget_exceeded", 0)


def test_lesson_26_calls_side_by_side_never_reserve_more_than_the_budget_and_the_refused_wait_no_longer_than_they(
    database_url: str,
) -> None:
    with opened(database_url) as desk:
        under_way, most = 0, 0
        end = asyncio.Event()

        @guarded(SPEC, services=desk.services)
        async def ask() -> Any:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await end.wait()
            under_way -= 1
            return HALF

        async def crowd() -> list[Any]:
            tasks = [asyncio.ensure_future(ask()) for _ in range(50)]
            for refused in islice(asyncio.as_completed(tasks), 40):
                with pytest.raises(BudgetExceededError):
                    await refused
            assert desk.money == (0, 1_000_000)
            end.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

        outcomes = asyncio.run(crowd())
        refused = [one for one in outcomes if isinstance(one, BudgetExceededError)]
        assert (most, len(refused)) == (10, 40)
        # Half the money is still there: who was refused is parked only until the calls under way must have been settled.
        assert {one.parked_until for one in refused} == {NOW + 25.0}
        assert desk.spends(500_000)
        desk.clock.advance(25.0)
        assert desk.function()() == HALF


@pytest.mark.parametrize("maxima", [{}, {"max_input_tokens": None, "max_output_tokens": None}], ids=["both", "its own"])
def test_lesson_26_a_place_of_a_call_that_never_left_goes_to_no_call_of_another_size(
    database_url: str, maxima: dict[str, Any]
) -> None:
    spec = dataclasses.replace(SPEC, **maxima)
    with opened(database_url, spec=spec, breaker_failures=100) as desk:
        small = desk.function(ConnectionRefusedError(), tokens=Tokens(100, 0))  # $0.001
        large = desk.function({}, tokens=None if not maxima else Tokens(1000, 1800))  # $0.10
        for _ in range(9):
            with pytest.raises(NetworkError):
                small()
            large()
        assert desk.spends(900_000)
        large()
        with pytest.raises(BudgetExceededError):
            large()
        assert desk.spends(1_000_000)


def test_lesson_26_a_call_that_outlasts_its_reservation_is_counted_with_what_it_really_cost(database_url: str) -> None:
    with opened(database_url) as desk:
        quick = desk.function(HALF)

        @guarded(SPEC, services=desk.services)
        def slow() -> Any:
            desk.clock.advance(60.0)
            quick()
            assert within(3.0, lambda: desk.money == (150_000, 0)), "it may have cost all that was reserved"
            return usage(prompt=0, completion=6000)

        slow()
        assert desk.spends(350_000)


@pytest.mark.parametrize(
    ("outcome", "kind", "spent"),
    [
        ({"text": "no word of usage"}, None, 100_000),
        (ConnectionResetError(), NetworkError, 100_000),
        (ConnectionRefusedError(), NetworkError, 0),
        (TimeoutError(), ServiceTimeoutError, 100_000),
        (RateLimitError("slow down", status=429), RateLimitError, 0),
    ],
)
def test_a_call_that_does_not_say_what_it_took_is_paid_in_full_and_one_that_was_refused_not_at_all(
    database_url: str, outcome: Any, kind: type[ServiceError] | None, spent: int
) -> None:
    with opened(database_url) as desk:
        ask = desk.function(outcome)
        if kind is None:
            ask()
        else:
            with pytest.raises(kind):
                ask()
        assert desk.spends(spent)


def test_what_costs_more_than_was_reserved_is_counted_in_full_and_told_once(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    dear = usage(prompt=1000, completion=5800)  # $0.30
    with opened(database_url) as desk:
        ask = desk.function(dear)
        for _ in range(4):
            ask()
        with pytest.raises(BudgetExceededError):
            ask()
        assert desk.spends(1_200_000)
    told = [record.message for record in caplog.records if "more than" in record.message]
    assert len(told) == 1
    assert "cost $0.30, more than the $0.10 reserved; counted in full" in told[0]


def test_functions_that_may_take_different_numbers_of_tokens_share_one_budget(database_url: str) -> None:
    with opened(database_url) as desk:
        large = desk.function(usage(prompt=0, completion=12_000), tokens=Tokens(0, 18_000))  # at most $0.90, really $0.60
        small = desk.function(usage(prompt=0, completion=200), tokens=Tokens(0, 200))  # $0.01
        assert large()
        with pytest.raises(BudgetExceededError):
            large()
        for _ in range(40):
            small()
        with pytest.raises(BudgetExceededError):
            small()
        assert desk.spends(1_000_000)


def test_a_reader_finds_what_a_result_of_another_shape_took(database_url: str) -> None:
    with opened(database_url, max_input_tokens=0, max_output_tokens=2000) as desk:
        desk.function({"pages": 20}, usage=lambda said: Tokens(output=100 * said["pages"]))()
        assert desk.spends(100_000)


def test_without_a_maximum_nothing_can_be_reserved_so_nothing_goes_and_the_error_says_what_to_set(database_url: str) -> None:
    boundless = ServiceSpec(name=NAME, base_url="https://films.example", **PRICES)
    with opened(database_url, spec=boundless) as desk:
        ask = desk.function()
        with pytest.raises(
            BudgetExceededError, match="MAX_INPUT_TOKENS and MAX_OUTPUT_TOKENS, or give the function tokens=Tokens"
        ):
            ask()
        assert desk.function(tokens=Tokens(1000, 1800))() == HALF
        assert desk.spends(50_000)
    with opened(database_url, spec=boundless, daily_budget_usd=None) as free:
        assert free.function()() == HALF, "where there is no budget there is nothing to reserve"
    assert free.rows.only.metadata["cost_micro_usd"] == 50_000


def test_an_answer_over_http_tells_its_tokens_without_any_code(server: FaultServer, database_url: str) -> None:
    server.plan("/chat", answer(200, json.dumps(HALF).encode()), answer(429, b'{"error": "slow down"}'))
    with opened(database_url, base_url=server.url) as desk, desk.services.sync_client(NAME) as http:
        assert http.post("/chat", json={"model": "x"}).json() == HALF
        with pytest.raises(RateLimitError):
            http.post("/chat", json={"model": "x"})
        assert desk.spends(50_000)
