"""Long lists of values for one query."""

from __future__ import annotations

from cinegraph_core.storage.batches import in_batches


def test_every_value_is_in_one_batch_in_order_and_no_batch_is_too_long() -> None:
    values = list(range(1201))
    batches = list(in_batches(values))
    assert [len(batch) for batch in batches] == [500, 500, 201]
    assert [value for batch in batches for value in batch] == values


def test_no_values_are_no_query() -> None:
    assert list(in_batches([])) == []
