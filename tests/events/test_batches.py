"""Batches: sorted rows are cut where a customer ends, and nowhere else."""

import pyarrow as pa
import pytest

from journeylab.events.reading.batches import starts_of, whole_customers

CUSTOMERS = ["p", "p", "q", "r", "r", "r", "s"]


def cut_into(sizes: list[int]) -> list[pa.RecordBatch]:
    """`CUSTOMERS` in batches of these sizes."""
    table = pa.table({"customer": CUSTOMERS, "row": range(len(CUSTOMERS))})
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    parts = [table.slice(end - size, size).combine_chunks() for end, size in zip(ends, sizes, strict=True)]
    return [
        batch for part in parts for batch in (part.to_batches() or pa.Table.from_pylist([], table.schema).to_batches())
    ]


@pytest.mark.parametrize("sizes", [[7], [1] * 7, [2, 5], [3, 1, 3], [4, 0, 3], [5, 2]])
def test_no_customer_is_split_and_no_row_is_lost(sizes):
    parts = [part.to_pydict() for part in whole_customers(cut_into(sizes), column="customer")]
    assert [row for part in parts for row in part["row"]] == list(range(7))
    seen = [set(part["customer"]) for part in parts]
    assert sum(len(each) for each in seen) == 4


def test_of_nothing_there_is_no_batch():
    assert list(whole_customers([], column="customer")) == []


def test_a_value_starts_where_it_differs_from_the_one_before():
    assert starts_of(pa.array(CUSTOMERS)).tolist() == [0, 2, 3, 6]
    assert starts_of(pa.array(["p"])).tolist() == [0]
    assert starts_of(pa.array([], pa.string())).tolist() == []
