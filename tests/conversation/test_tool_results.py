"""How much an answer holds, and the first rows of a long one, without reading all of it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.tool_results import (
    TableResult,
    is_table,
    result_size,
    result_view,
    table_head,
)
from tests.some import examples


@given(st.text('ab,1\n\r" ', max_size=40))
@examples(2_000)
def test_rows_are_counted_as_they_would_be_read(text: str) -> None:
    view = result_view({"csv_data": text})
    if isinstance(view, TableResult):
        count = len(view.rows)
        assert result_size({"csv_data": text}) == ("1 row" if count == 1 else f"{count} rows")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_the_first_rows_of_a_long_answer_are_those_of_the_whole(end: str, quoting: int) -> None:
    out = io.StringIO()
    rows = [("id", "name"), *((str(n), f"name {n}") for n in range(20_000))]
    csv.writer(out, lineterminator=end, quoting=quoting).writerows(rows)  # pyright: ignore[reportArgumentType]
    output = {"csv_data": out.getvalue(), "query_name": "x"}
    head = table_head(output, 3)
    assert head == (TableResult(rows[0], tuple(rows[1:4]), {"query_name": "x"}), 20_000)
    assert result_size(output) == "20,000 rows"


def test_a_short_answer_or_another_one_has_no_head() -> None:
    assert table_head({"csv_data": "a\n1\n"}, 3) is None
    assert table_head("a\n" * 200_000, 3) is None
    assert table_head({"csv_data": "a\n" * 200_000, "_declined": True}, 3) is None
    assert table_head({"isError": True, "structuredContent": {"csv_data": "a\n" * 200_000}}, 3) is None


def test_what_is_too_long_to_be_counted_says_its_size() -> None:
    text = '"a"\n' * 1_000_000
    assert result_size({"csv_data": text}) == "4.0 MB"
    head = table_head({"csv_data": text}, 1)
    assert head is not None
    assert head[1] is None


def test_a_listing_is_a_table() -> None:
    assert is_table("buckets[1]{id,name}:\n  a,b\n")
    assert not is_table("tables[1]:\n  - id: a\n    columns[1]{name}:\n      b\n")
    assert not is_table("buckets[1]{id")
